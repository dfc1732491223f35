"""What the console needs in Django's settings, from the environment."""

from ipaddress import ip_network
from os import environ

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
# Only for the sign_subject() of the local tenant.
SUBJECT_TOKEN_KEY = environ.get("SUBJECT_TOKEN_KEY", "")

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
