"""Django's settings. What differs from place to place comes from the environment."""

from ipaddress import ip_network
from os import environ
from pathlib import Path

from auth0_stt import ClientSettings

# The agents' sign-in and the exchange are the same application at Auth0.
AUTH0: ClientSettings = {
    "domain": environ["CONSOLE_DOMAIN"],
    "client_id": environ["CONSOLE_CLIENT_ID"],
    "client_secret": environ["CONSOLE_CLIENT_SECRET"],
}
AUTH0_METADATA_URL = "{}{}/.well-known/openid-configuration".format(
    "" if "://" in AUTH0["domain"] else "https://", AUTH0["domain"]
)

# What sign_subject() makes and the tenant's Action verifies.
SUBJECT_TOKEN_TYPE = environ["SUBJECT_TOKEN_TYPE"]
SUBJECT_TOKEN_KEY = environ["SUBJECT_TOKEN_KEY"]

# The shop's initiate_login_uri.
SHOP_LOGIN_URL = environ["SHOP_LOGIN_URL"]

# The reverse proxies in front of this console, as networks: 10.0.0.0/8 192.0.2.7/32.
TRUSTED_PROXIES = [
    ip_network(each) for each in environ.get("TRUSTED_PROXIES", "").split()
]

# Tokens are in the session: keep it in the database, not in a cookie.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# "http" is for this machine only: over http, browsers don't send a secure cookie back.
SESSION_COOKIE_SECURE = environ.get("CONSOLE_SCHEME", "https") == "https"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
LOGIN_URL = "sign_in"

# The rest is standard Django.
SECRET_KEY = environ["CONSOLE_SECRET_KEY"]
ALLOWED_HOSTS = environ.get("CONSOLE_HOSTS", "localhost").split()
ROOT_URLCONF = "support.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "support",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": environ.get("CONSOLE_DATABASE")
        or Path(__file__).parents[1] / "console.sqlite3",
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
