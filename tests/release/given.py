"""What the examples take for granted, as declarations: by page, then by example.

A reader has these in the project that an example is pasted into. Type checkers need
them, and the tests run the examples with real ones of the same names.
"""

from textwrap import dedent

#: A console's own: its settings, and the signing of subject tokens.
CONSOLE = """
    from auth0_stt import ClientSettings
    AUTH0: ClientSettings = {"domain": "", "client_id": "", "client_secret": ""}
    def sign_subject(customer_id: str) -> str:
        raise NotImplementedError
"""

GIVEN = {
    "errors.rst": {"stamina": CONSOLE},
    "testing.rst": {
        "shop": """
    from flask import Flask
    def create_app(domain: str, client_id: str, client_secret: str) -> Flask:
        raise NotImplementedError
""",
        "action": """
    from typing import Any
    PUBLIC_KEY = ""
    def sign_subject(customer_id: str) -> str:
        raise NotImplementedError
    def mint(tenant: Any, subject_token: str) -> object:
        raise NotImplementedError
""",
    },
    "audit.rst": {"django": "AUDIT_FILE = 'audit.log'"},
    "async.rst": {"view": CONSOLE},
    "migrating.rst": {
        "python": CONSOLE
        + """
    from typing import Any, Dict
    session: Dict[str, Any] = {}
    customer_id = "auth0|ada"
    address = "192.0.2.7"
"""
    },
    "README.rst": {
        "shop": """
from authlib.integrations.flask_client import OAuth
from flask import Flask

app = Flask("shop")
oauth = OAuth(app)
DOMAIN = CLIENT_ID = ""
""",
    },
    "console.rst": {
        "installed": "INSTALLED_APPS: list[str] = []",
        "urls": "urlpatterns: list[object] = []",
        "allowed-hosts": """
from django.http import HttpRequest

from auth0_stt import SessionTransferTokenResult, build_session_transfer_redirect

request: HttpRequest
stt: SessionTransferTokenResult
""",
        "private-key": """
from auth0_stt import ClientSettings, private_key_jwt

pem: bytes
""",
        "certificate": "from auth0_stt import ClientSettings",
        "session": """
from typing import TypedDict

import requests
from django.conf import settings

from auth0_stt import request_session_transfer_token

class Proof(TypedDict):
    subject_token: str
    subject_token_type: str
    actor_token: str
    actor_token_type: str

ca_file: str
proof: Proof
""",
    },
    "shop.rst": {
        "django": """
from authlib.integrations.django_client import OAuth

oauth = OAuth()
""",
    },
}
GIVEN = {
    page: {name: dedent(declared) for name, declared in examples.items()}
    for page, examples in GIVEN.items()
}
