"""No failure lets a secret be reached: one walk over all of them, and over all that hangs on each."""

import copy
import http.client
import pickle
import warnings

import pytest
import requests
from calls import mint, resolve
from reachable import texts
from values import (
    ACTOR_TOKEN,
    ASSERTION,
    CLIENT_SECRET,
    GOOD,
    ISSUED,
    PRIVATE_KEY,
    REFRESH_TOKEN,
    SECRETS,
    SUBJECT_TOKEN,
)

from auth0_stt import (
    CustomTokenExchangeErrorCode,
    SessionTransferError,
    SessionTransferTokenResult,
    build_session_transfer_redirect,
    private_key_jwt,
    session_transfer_params,
)


def test_the_walk_finds_what_is_there():
    """The walk sees a secret in an attribute, in a cause's request body, and in a frame's locals."""

    class Holder:
        def __init__(self, value):
            self.value = value

    error = requests.ConnectionError(
        request=requests.Request("POST", "http://h", data=SUBJECT_TOKEN).prepare()
    )
    wrapped = SessionTransferError("code", "message")
    wrapped.__context__ = error
    for thing in ([Holder({"a": (ISSUED,)})], wrapped):
        assert any(secret in text for text in texts(thing, {}) for secret in SECRETS)
    scope = {}
    exec(compile("def fail(token):\n    raise ValueError", "library.py", "exec"), scope)
    with pytest.raises(ValueError, match=r"^$") as caught:
        scope["fail"](ISSUED)
    assert any(ISSUED in text for text in texts(caught.value, {}))


#: What each request holds, for its answer to echo.
MINTED = " ".join((CLIENT_SECRET, SUBJECT_TOKEN, ACTOR_TOKEN))
SIGNED = " ".join((ASSERTION, SUBJECT_TOKEN, ACTOR_TOKEN))
RENEWED = " ".join((CLIENT_SECRET, REFRESH_TOKEN))

WORDS = [code.value for code in CustomTokenExchangeErrorCode] + ["unauthorized_actor"]


def answers(echo):
    """What an endpoint answers that is no success."""
    return [
        *[
            ({"error": word, "error_description": echo}, 400, {})
            for word in [*WORDS, echo]
        ],
        (
            {"error": "server_error", "error_description": "x" * 480 + echo},
            500,
            {"Retry-After": echo},
        ),
        (
            {"error": "too_many_requests", "error_description": echo[:-20]},
            429,
            {"x-ratelimit-reset": echo},
        ),
        ({"error_description": [echo]}, 400, {}),
        (echo.encode(), 200, {}),
        (echo.encode(), 502, {}),
        (b'{"access_token": "' + echo.encode() + b'\xff"}', 200, {}),
        (b'{"a":"' + echo.encode() + b'", "a": 1}', 200, {}),
        ({**GOOD, "issued_token_type": echo}, 200, {}),
        ({**GOOD, "expires_in": echo}, 200, {}),
        ({**GOOD, "token_type": [echo]}, 200, {}),
        ({**GOOD, "access_token": ISSUED + "\n"}, 200, {}),
        ({**GOOD, "padding": echo * 2_000}, 200, {}),
        ({**GOOD, "padding": echo}, 200, {"Content-Encoding": "gzip"}),
        (GOOD, 302, {"Location": "https://evil.example/?" + ISSUED}),
        (GOOD, 201, {"Set-Cookie": "stt=" + ISSUED}),
        (GOOD, 200, {" bad header " + SUBJECT_TOKEN: ISSUED}),
        (GOOD, 200, {"X-Long": echo * 4_000}),
    ]


BAD_ARGUMENTS = [
    {"domain": "https://user:" + CLIENT_SECRET + "@h"},
    {"client_id": CLIENT_SECRET + "\n"},
    {"client_secret": CLIENT_SECRET + "\n"},
    {"client_secret": CLIENT_SECRET.encode()},
    {"client_secret": CLIENT_SECRET + "\ud800"},
    {"client_assertion": ASSERTION},
    {"client_secret": None},
    {"client_secret": None, "client_assertion": ASSERTION + " "},
    {"client_secret": None, "client_assertion": lambda audience: ASSERTION + " "},
    {"client_secret": None, "client_assertion": lambda audience: ASSERTION.encode()},
    {"client_secret": None, "client_certificate": "/nowhere"},
    {"subject_token": "Bearer " + SUBJECT_TOKEN},
    {"subject_token": SUBJECT_TOKEN + "\ud800"},
    {"subject_token_type": SUBJECT_TOKEN},
    {"actor_token": None},
    {"actor_token": ACTOR_TOKEN + "\n"},
    {"actor_token_type": None},
    {"actor_token_type": ACTOR_TOKEN},
    {"organization": " "},
    {"scope": "a  b"},
    {"reason": "\ud800"},
    {"forwarded_for": "1.2.3.4, 5.6.7.8"},
    {"extra": {"subject_token": SUBJECT_TOKEN}},
    {"extra": {"a": SUBJECT_TOKEN + "\ud800"}},
    {"timeout": "1"},
    {"session": object()},
    # Arguments in each other's places.
    *(
        {name: SUBJECT_TOKEN + "  x"}
        for name in ("domain", "scope", "forwarded_for", "timeout", "session", "extra")
    ),
]

EARLIER = "session_transfer_token=" + ISSUED
GOOD_STT = SessionTransferTokenResult(ISSUED, GOOD["issued_token_type"], 60)
STT = SessionTransferTokenResult(
    ISSUED, "urn:ietf:params:oauth:token-type:access_token", 60
)


def unverified():
    session = requests.Session()
    session.verify = False
    return session


def faults():
    """Every failure but the answers: a name, and what makes it of an endpoint."""
    for number, changes in enumerate(BAD_ARGUMENTS):
        yield (
            f"argument-{number}",
            lambda endpoint, c=changes: mint(
                c.get("domain", endpoint), **_but_domain(c)
            ),
        )
    yield "unverified", lambda endpoint: mint(endpoint, session=unverified())
    for name, session in (("", None), ("-own-session", requests.Session())):
        yield (
            "refused" + name,
            lambda endpoint, s=session: mint("http://127.0.0.1:1", session=s),
        )
        yield (
            "unknown" + name,
            lambda endpoint, s=session: mint("no-such-host.invalid", session=s),
        )
        yield (
            "no-tls" + name,
            lambda endpoint, s=session: mint(
                "https://" + endpoint.authority, session=s
            ),
        )
        yield (
            "dropped" + name,
            lambda endpoint, s=session: (endpoint.drop(), mint(endpoint, session=s)),
        )
        yield (
            "timeout" + name,
            lambda endpoint, s=session: (
                endpoint.hang(),
                mint(endpoint, session=s, timeout=0.2),
            ),
        )
        yield (
            "refresh-dropped" + name,
            lambda endpoint, s=session: (endpoint.drop(), resolve(endpoint, session=s)),
        )
    yield (
        "no-actor",
        lambda endpoint: resolve(endpoint, refresh_token=None, id_token=ACTOR_TOKEN),
    )
    yield "leeway", lambda endpoint: resolve(endpoint, leeway=REFRESH_TOKEN)
    yield (
        "earlier-token",
        lambda endpoint: build_session_transfer_redirect(
            "https://a.example/?a;" + EARLIER, GOOD_STT
        ),
    )
    yield (
        "bad-refresh",
        lambda endpoint: resolve(endpoint, refresh_token=REFRESH_TOKEN + " "),
    )
    yield (
        "no-id-token",
        lambda endpoint: (
            endpoint.answer({"refresh_token": ISSUED}),
            resolve(endpoint),
        ),
    )
    yield (
        "redirect",
        lambda endpoint: build_session_transfer_redirect(
            "https://shop.example.com", STT
        ),
    )
    yield (
        "target",
        lambda endpoint: session_transfer_params(
            {"session_transfer_token": [ISSUED, ISSUED]}
        ),
    )
    yield "key", lambda endpoint: private_key_jwt("console", PRIVATE_KEY)
    yield (
        "key-bytes",
        lambda endpoint: private_key_jwt("console", PRIVATE_KEY.encode(), "PS256"),
    )
    calls = {
        "minted": (MINTED, mint, {}),
        "minted-own-session": (MINTED, mint, {"session": requests.Session()}),
        "signed": (
            SIGNED,
            mint,
            {"client_secret": None, "client_assertion": lambda audience: ASSERTION},
        ),
        "renewed": (RENEWED, resolve, {}),
    }
    for name, (echo, call, changes) in calls.items():
        for number, (body, status, headers) in enumerate(answers(echo)):
            if "own-session" in name and any(
                header.startswith(" ") for header in headers
            ):
                continue  # urllib3 logs what it can't parse, on the connections of a caller's session
            yield f"{name}-{number}", _answered(call, changes, body, status, headers)


def _answered(call, changes, body, status, headers):
    def failure(endpoint):
        endpoint.answer(body, status, **headers)
        call(endpoint, **changes)

    return failure


def _but_domain(changes):
    return {name: value for name, value in changes.items() if name != "domain"}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "failure", [pytest.param(call, id=name) for name, call in faults()]
)
def test_no_secret_is_reachable(failure, request, endpoint, monkeypatch, capfd, caplog):
    """Error, chain, frames, pickles, logs at every level, warnings and streams are free of secrets."""
    if "own-session" not in request.node.name:
        # What http.client prints of the connections of a caller's session is the caller's to switch on.
        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with caplog.at_level(0), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises((SessionTransferError, ImportError)) as caught:
            failure(endpoint)
    error = caught.value
    found = list(texts(error, {}))
    found += [
        str(error),
        repr(error),
        repr(error.args),
        pickle.dumps(error).decode("latin-1"),
        repr(copy.copy(error)),
    ]
    found += [str(getattr(error, "hint", "")), str(warned)]
    for record in caplog.records:
        found += [record.getMessage(), repr(vars(record))]
    found += capfd.readouterr()
    for text in found:
        for secret in SECRETS:
            assert secret not in text


def test_what_diagnosis_needs_stays(endpoint):
    """Host, phase and seconds of a failure are in its message."""
    endpoint.hang()
    with pytest.raises(SessionTransferError) as caught:
        mint(endpoint, timeout=0.2)
    for fact in (endpoint.authority, "0.2 seconds", "waiting for the answer"):
        assert fact in str(caught.value)


def test_results_show_no_token(endpoint):
    """The repr of what is returned masks its tokens."""
    endpoint.answer({"id_token": ACTOR_TOKEN, "refresh_token": REFRESH_TOKEN})
    shown = repr(resolve(endpoint))
    endpoint.answer(GOOD)
    shown += repr(mint(endpoint))
    assert not [secret for secret in SECRETS if secret in shown]
