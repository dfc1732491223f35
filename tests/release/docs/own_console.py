"""conftest.py of a reader who has a console in Django: what the page's tests run against."""

import types

import django
import pytest
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client, override_settings
from django.urls import path

from auth0_stt import (
    ID_TOKEN_TYPE,
    SessionTransferError,
    build_session_transfer_redirect,
    request_session_transfer_token,
)

urls = types.ModuleType("urls")


def sign_in_as(request, customer_id):
    try:
        token = request_session_transfer_token(
            **settings.AUTH0,
            subject_token=urls.sign_subject(customer_id),
            subject_token_type="urn:acme:customer",
            actor_token=request.session["id_token"],
            actor_token_type=ID_TOKEN_TYPE,
            reason=request.POST["reason"],
        )
    except SessionTransferError as error:
        return HttpResponse(status=503 if error.retryable else 502)
    url = build_session_transfer_redirect("https://shop.example.com/login", token)
    return HttpResponseRedirect(url, status=303)


urls.urlpatterns = [path("customers/<customer_id>/sign-in-as", sign_in_as)]
settings.configure(
    SECRET_KEY="tests",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=urls,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
)
django.setup()


@pytest.fixture(autouse=True)
def signing(local_tenant):
    """As the page says: subject tokens that the tenant's own Action understands."""
    urls.sign_subject = local_tenant.subject_token


@pytest.fixture
def agents_browser(local_tenant):
    """The browser of an agent who has signed in."""
    browser = Client()
    session = browser.session
    session.update(local_tenant.agent_tokens())
    session.save()
    with override_settings(AUTH0=local_tenant.console):
        yield browser
