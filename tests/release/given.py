"""What the examples take for granted, as declarations: by page, then by example.

A reader has these in the project that an example is pasted into. Type checkers need
them, and the tests run the examples with real ones of the same names.
"""

from textwrap import dedent

#: A console's own: its settings, and the signing of subject tokens.
CONSOLE = """
    from typing import Any, Dict
    AUTH0: Dict[str, Any] = {"domain": "", "client_id": "", "client_secret": ""}
    def sign_subject(customer_id: str) -> str:
        raise NotImplementedError
"""

GIVEN = {
    "errors.rst": {"stamina": CONSOLE},
    "audit.rst": {"django": "AUDIT_FILE = 'audit.log'"},
    "async.rst": {"view": CONSOLE},
    "migrating.rst": {
        "python": CONSOLE
        + """
    session: Dict[str, Any] = {}
    customer_id = "auth0|ada"
    address = "192.0.2.7"
"""
    },
}
GIVEN = {
    page: {name: dedent(declared) for name, declared in examples.items()}
    for page, examples in GIVEN.items()
}
