"""mozilla-django-oidc and django-allauth as the shop, in one Django project."""

from urllib.parse import urlencode, urlsplit

import jwt as pyjwt
import pytest
from calls import base, mint_for
from person import SHOP_LOGIN, Person, query

from auth0_stt import (
    actor_from_claims,
    build_session_transfer_redirect,
    session_transfer_params,
)

django = pytest.importorskip("django")
pytest.importorskip("mozilla_django_oidc")
pytest.importorskip("allauth")

from django.conf import settings  # noqa: E402

HOST = "shop.example.com"
if not settings.configured:
    settings.configure(
        SECRET_KEY="of the shop",
        ALLOWED_HOSTS=[HOST],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "mozilla_django_oidc",
            "allauth",
            "allauth.account",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid_connect",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        AUTHENTICATION_BACKENDS=[
            "mozilla_django_oidc.auth.OIDCAuthenticationBackend",
            "allauth.account.auth_backends.AuthenticationBackend",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"]
                },
            }
        ],
        OIDC_STORE_ID_TOKEN=True,
        OIDC_RP_SIGN_ALGO="RS256",
        OIDC_RP_SCOPES="openid profile email",
        OIDC_OP_AUTHORIZATION_ENDPOINT="",
        OIDC_OP_TOKEN_ENDPOINT="",
        OIDC_OP_USER_ENDPOINT="",
        OIDC_OP_JWKS_ENDPOINT="",
        OIDC_RP_CLIENT_ID="",
        OIDC_RP_CLIENT_SECRET="",
        LOGIN_REDIRECT_URL="/",
        SOCIALACCOUNT_LOGIN_ON_GET=True,
        SOCIALACCOUNT_AUTO_SIGNUP=True,
        SOCIALACCOUNT_EMAIL_VERIFICATION="none",
    )
    django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import include, path  # noqa: E402
from mozilla_django_oidc.views import OIDCAuthenticationRequestView  # noqa: E402


class Login(OIDCAuthenticationRequestView):
    """The login route of mozilla-django-oidc, with our one call in it."""

    def get_extra_params(self, request):
        return {
            **super().get_extra_params(request),
            **session_transfer_params(request.GET),
        }


def allauth_login(request):
    """django-allauth takes more parameters for /authorize in `auth_params`."""
    more = urlencode(session_transfer_params(request.GET))
    to = "/accounts/oidc/auth0/login/?" + urlencode({"auth_params": more})
    return HttpResponseRedirect(to)


urlpatterns = [
    path("", lambda request: HttpResponse("in")),
    path("mozilla/login", Login.as_view()),
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("allauth/login", allauth_login),
    path("accounts/", include("allauth.urls")),
]


@pytest.fixture(scope="module", autouse=True)
def database():
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@pytest.fixture
def configured(tenant):
    """The settings of both, for this tenant."""
    issuer, shop = base(tenant, "shop"), tenant.shop
    tenant.settings["shop"]["callbacks"] = [
        f"https://{HOST}/oidc/callback/",
        f"https://{HOST}/accounts/oidc/auth0/login/callback/",
    ]
    auth0 = {
        "provider_id": "auth0",
        "name": "Auth0",
        "client_id": shop["client_id"],
        "secret": shop["client_secret"],
        "settings": {"server_url": issuer, "oauth_pkce_enabled": True},
    }
    get_user_model().objects.all().delete()
    with override_settings(
        OIDC_OP_AUTHORIZATION_ENDPOINT=issuer + "/authorize",
        OIDC_OP_TOKEN_ENDPOINT=issuer + "/oauth/token",
        OIDC_OP_USER_ENDPOINT=issuer + "/userinfo",
        OIDC_OP_JWKS_ENDPOINT=issuer + "/.well-known/jwks.json",
        OIDC_RP_CLIENT_ID=shop["client_id"],
        OIDC_RP_CLIENT_SECRET=shop["client_secret"],
        SOCIALACCOUNT_PROVIDERS={"openid_connect": {"APPS": [auth0]}},
    ):
        yield


def enter(tenant, route):
    """Open a login route with what a console of ours hands over; return the client."""
    url = build_session_transfer_redirect(SHOP_LOGIN, mint_for(tenant))
    shop = Client(SERVER_NAME=HOST)
    answer = shop.get(route, query(url), secure=True)
    while answer["Location"].startswith("/"):
        answer = shop.get(answer["Location"], secure=True)
    with Person(tenant) as sam:
        callback = urlsplit(sam.open(answer["Location"]))
    answer = shop.get(f"{callback.path}?{callback.query}", secure=True)
    assert "/" == answer["Location"]
    return shop


@pytest.mark.filterwarnings("ignore")
class TestDjango:
    def test_mozilla_django_oidc(self, tenant, configured):
        """With one method overridden it takes a delegated login; the ID token has the agent."""
        shop = enter(tenant, "/mozilla/login")
        claims = pyjwt.decode(
            shop.session["oidc_id_token"], options={"verify_signature": False}
        )
        assert ("auth0|ada", "auth0|sam") == (
            claims["sub"],
            actor_from_claims(claims).sub,
        )

    def test_django_allauth(self, tenant, configured):
        """With one redirect it takes a delegated login; the account's data has the agent."""
        from allauth.socialaccount.models import SocialAccount

        enter(tenant, "/allauth/login")
        account = SocialAccount.objects.get()
        assert "auth0|ada" == account.uid
        data = account.extra_data
        claims = data.get("id_token", data)
        assert "auth0|sam" == actor_from_claims(claims).sub
