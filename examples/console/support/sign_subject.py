"""The proof of the customer, as the Action of ``auth0-stt tenant`` verifies it.

For your own tenant, take docs/action/sign_subject.py in place of this file. It signs
with a private key, so that nobody but the console can name a customer.
"""

import time

from django.conf import settings
from joserfc import jwt
from joserfc.jwk import OctKey


def sign_subject(customer_id: str) -> str:
    key = OctKey.import_key(settings.SUBJECT_TOKEN_KEY)
    claims = {"sub": customer_id, "exp": int(time.time()) + 60}
    return jwt.encode({"alg": "HS256"}, claims, key)
