"""Start the console, against ``auth0-stt tenant``: ``python examples/console``."""

import os
import secrets

import django
from django.core.management import call_command

# What that tenant always has, and where the example shop is. Environment variables take
# precedence.
LOCAL = {
    "DJANGO_SETTINGS_MODULE": "site_settings",
    "CONSOLE_DOMAIN": "http://localhost:8400",
    "CONSOLE_CLIENT_ID": "console",
    "CONSOLE_CLIENT_SECRET": "console-secret-of-the-local-tenant",
    "CONSOLE_PORT": "8401",
    "CONSOLE_SCHEME": "http",
    "CONSOLE_SECRET_KEY": secrets.token_hex(),
    "SUBJECT_TOKEN_TYPE": "urn:acme:customer",
    "SUBJECT_TOKEN_KEY": "subject-token-key-of-the-local-tenant",
    "SHOP_LOGIN_URL": "http://127.0.0.1:8402/login",
}

if __name__ == "__main__":
    for name, value in LOCAL.items():
        os.environ.setdefault(name, value)
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("loaddata", "example", verbosity=0)
    call_command("runserver", f"localhost:{os.environ['CONSOLE_PORT']}", "--noreload")
