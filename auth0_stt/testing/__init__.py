"""A tenant on this machine, for tests: Session Delegation from mint to logout.

Needs ``pip install "auth0-stt[testing]"``. Nothing in ``auth0_stt`` imports it.

::

    with LocalTenant() as tenant:
        result = request_session_transfer_token(
            **tenant.console,
            subject_token=tenant.subject_token("auth0|ada"),
            subject_token_type=tenant.subject_token_type,
            actor_token=tenant.agent_tokens()["id_token"],
            actor_token_type=ID_TOKEN_TYPE,
        )
        url = build_session_transfer_redirect("https://shop.example.com/login", result)
        claims = tenant.redeem(url)  # "sub": "auth0|ada", "act": {"sub": "auth0|sam"}
"""

import sys

if sys.version_info < (3, 10):
    raise ImportError(
        "auth0_stt.testing needs Python 3.10 or later, and this is Python {}.{}".format(
            *sys.version_info
        )
    )

try:
    import authlib
    import flask
    import joserfc
    import trustme
except ImportError as _error:
    raise ImportError(
        "auth0_stt.testing needs Flask, Authlib, joserfc and trustme: "
        f'pip install "auth0-stt[testing]" ({_error})'
    ) from _error

from .browser import Browser, RedemptionFailed
from .local_tenant import LocalTenant
from .tenant.action import Api
from .tenant.clock import Clock
from .tenant.event import Event
from .tenant.logs import Log
from .tenant.web.tls import localhost_names

__all__ = [
    "Api",
    "Browser",
    "Clock",
    "Event",
    "LocalTenant",
    "Log",
    "RedemptionFailed",
    "localhost_names",
]

del authlib, flask, joserfc, sys, trustme
