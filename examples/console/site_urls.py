"""URLs of the example's site: the console is all of it."""

from django.urls import include, path

urlpatterns = [path("", include("support.urls"))]
