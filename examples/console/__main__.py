"""Start the console on http://localhost:8401/, against a local tenant."""

import os
import secrets

import django
from django.core.management import call_command

# What `auth0-stt tenant --port 8400` has, and examples/shop. Yours goes before it.
LOCAL = {
    "DJANGO_SETTINGS_MODULE": "support.settings",
    "CONSOLE_DOMAIN": "http://localhost:8400",
    "CONSOLE_SECRET_KEY": secrets.token_hex(),
    "SHOP_LOGIN_URL": "http://127.0.0.1:8402/login",
}

if __name__ == "__main__":
    for name, value in LOCAL.items():
        os.environ.setdefault(name, value)
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("loaddata", "example", verbosity=0)
    call_command("runserver", "localhost:8401", "--noreload")
