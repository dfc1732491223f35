"""The Django console as a server's application; CONSOLE_TENANT says where the tenant is."""

import importlib
import json
import os
from pathlib import Path
from types import SimpleNamespace

from django.db import connections
from running import console_app

from auth0_stt import ID_TOKEN_TYPE, request_session_transfer_token

told = json.loads(os.environ["CONSOLE_TENANT"])
auth0 = {**told["console"], "domain": "https://" + told["console"]["domain"]}
tenant = SimpleNamespace(
    console=auth0,
    subject_token_key="not used: this tenant takes the customer's id as proof",
    subject_token_type=told["subject_token_type"],
)
application = console_app(
    tenant, "https://shop.example.com/login", Path(told["folder"])
)
importlib.import_module("support.views").sign_subject = lambda customer_id: customer_id
connections.close_all()

# With --preload this is the parent: what it leaves connected, no child may use.
request_session_transfer_token(
    **auth0,
    subject_token="auth0|ada",
    subject_token_type=told["subject_token_type"],
    actor_token=told["id_token"],
    actor_token_type=ID_TOKEN_TYPE,
    reason="parent",
)
