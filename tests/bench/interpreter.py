"""What needs no endpoint, measured in a fresh interpreter: imports and pure functions.

Run as `python interpreter.py MEASUREMENT`; prints JSON. Nothing is imported up here that requests needs itself: it
would be missing from its cost.
"""

import os
import sys
import time


def resident_bytes():
    """Memory of this process, or None where there is no /proc to ask."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def imports():
    """Import what the package needs, then the package: the seconds of each, and the bytes that it adds."""
    started = time.process_time()
    import attr  # noqa: F401
    import requests  # noqa: F401

    needed, before = time.process_time(), resident_bytes()
    import auth0_stt  # noqa: F401

    return {
        "needed": needed - started,
        "ours": time.process_time() - needed,
        "bytes": before and resident_bytes() - before,
    }


def pure_functions():
    """Rounds of (function, its seconds, seconds of urlsplit and urlencode) on the same strings."""
    from urllib.parse import urlencode, urlsplit

    from auth0_stt import (
        SESSION_TRANSFER_TOKEN_TYPE,
        SessionTransferTokenResult,
        actor_from_claims,
        build_session_transfer_redirect,
        session_transfer_params,
    )

    target = "https://shop.example.com/login"
    token = "stt_" + "Xy9-" * 15
    result = SessionTransferTokenResult(token, SESSION_TRANSFER_TOKEN_TYPE, 60)
    query = {"session_transfer_token": token, "organization": "org_Abc123"}
    claims = {
        "iss": "https://acme.auth0.com/",
        "sub": "auth0|ada",
        "aud": "shop",
        "act": {"sub": "auth0|sam"},
    }
    functions = {
        "build_session_transfer_redirect": (
            lambda: build_session_transfer_redirect(target, result, "org_Abc123"),
            lambda: (urlsplit(target), urlencode(query)),
        ),
        "session_transfer_params": (
            lambda: session_transfer_params(query),
            lambda: (urlsplit(target), urlencode(query)),
        ),
        "actor_from_claims": (
            lambda: actor_from_claims(claims),
            lambda: (urlsplit(claims["iss"]), urlencode(claims["act"])),
        ),
    }

    def seconds(function):
        started = time.process_time()
        for _ in range(2000):
            function()
        return time.process_time() - started

    return [
        (name, seconds(ours), seconds(by_hand))
        for _ in range(15)
        for name, (ours, by_hand) in functions.items()
    ]


if __name__ == "__main__":
    measured = globals()[sys.argv[1]]()
    import json

    print(json.dumps(measured))
