from django.urls import path

from . import views

app_name = "support"

urlpatterns = [
    path("", views.customers, name="customers"),
    path("sign-in", views.sign_in, name="sign_in"),
    path("callback", views.callback, name="callback"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("customers/<customer_id>/sign-in-as", views.sign_in_as, name="sign_in_as"),
]
