"""What is fuzzed, and what must hold. Run as a script it goes through the kept inputs, without a fuzzer."""

import json
import pickle
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote, unquote_to_bytes, urlsplit

import ada_url
from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import QueryDict
from requests.structures import CaseInsensitiveDict
from werkzeug.datastructures import MultiDict

import auth0_stt
from auth0_stt import token_endpoint
from auth0_stt.connections import Reply

CORPUS = Path(__file__).parent / "corpus"

#: Each is unlike anything that a fuzzer writes by itself; in an answer `{client_secret}` and so on stand for them.
SECRETS = {
    "client_secret": "cs/Kq8vXz2LwT5rYp1N+yes",
    "subject_token": "subject.Wd4mJc7RbG0sHf9E",
    "actor_token": "actor.Ue3nVk6QaZ1xBt8I",
    "refresh_token": "refresh.Po2yLh5DjS9gMw4C",
}
LONGEST_TEXT = 500
A_YEAR = 31_536_000


def text(data):
    """Return bytes as a text, also one that no server could send."""
    return data.decode("utf-8", "surrogateescape")


def mint(domain="tenant.example"):
    return auth0_stt.request_session_transfer_token(
        domain,
        client_id="console",
        client_secret=SECRETS["client_secret"],
        subject_token=SECRETS["subject_token"],
        subject_token_type="urn:acme:customer",
        actor_token=SECRETS["actor_token"],
        actor_token_type=auth0_stt.ID_TOKEN_TYPE,
    )


def resolve(id_token=None, refresh_token=SECRETS["refresh_token"]):
    return auth0_stt.resolve_actor_token(
        "tenant.example",
        client_id="console",
        client_secret=SECRETS["client_secret"],
        id_token=id_token,
        refresh_token=refresh_token,
    )


def outcome(function, *args, **kwargs):
    """Return the result or the error of ours; any other exception is a find."""
    try:
        result = function(*args, **kwargs)
    except auth0_stt.SessionTransferError as error:
        result = error
    # Whatever comes out can be kept, compared, logged.
    assert type(pickle.loads(pickle.dumps(result))) is type(result)
    str(result).encode("utf-8")
    repr(result).encode("utf-8")
    return result


def is_bare(token):
    return isinstance(token, str) and token.isprintable() and token.split() == [token]


# --- answers ---------------------------------------------------------------------------------------------------


def answer(data):
    """An answer of the token endpoint: `status`, lines of headers, an empty line, the body."""
    head, _, body = data.partition(b"\n\n")
    status, *lines = head.decode("latin-1").split("\n")
    if not status.isdigit() or not status.isascii() or len(status) != 3:
        return
    for name, value in SECRETS.items():
        body = body.replace(b"{%s}" % name.encode(), value.encode())
    headers = CaseInsensitiveDict(line.split(":", 1) for line in lines if ":" in line)
    reply = Reply(int(status), headers, body)
    token_endpoint.post_form = lambda *args, **kwargs: reply

    minted, renewed = outcome(mint), outcome(resolve)
    for result, sent in (
        (minted, ("client_secret", "subject_token", "actor_token")),
        (renewed, ("client_secret",)),
    ):
        if isinstance(result, auth0_stt.CustomTokenExchangeError):
            check_error(result, reply, [SECRETS[name] for name in sent])
    if isinstance(minted, auth0_stt.SessionTransferTokenResult):
        told = told_by(reply)
        assert told["access_token"] == minted.session_transfer_token
        assert (
            told["issued_token_type"]
            == minted.issued_token_type
            == auth0_stt.SESSION_TRANSFER_TOKEN_TYPE
        )
        assert int(told["expires_in"]) == minted.expires_in > 0
        assert type(minted.expires_in) is int
        assert is_bare(minted.session_transfer_token)
        assert minted.session_transfer_token not in repr(minted)
        assert isinstance(minted.scope, (str, type(None)))
        assert isinstance(minted.token_type, (str, type(None)))
    else:
        assert isinstance(minted, auth0_stt.CustomTokenExchangeError)
    if isinstance(renewed, auth0_stt.ActorToken):
        told = told_by(reply)
        assert told["id_token"] == renewed.actor_token
        assert renewed.refresh_token in (
            told.get("refresh_token"),
            SECRETS["refresh_token"],
        )
        assert renewed.refreshed
        assert is_bare(renewed.actor_token)
        assert is_bare(renewed.refresh_token)
    else:
        assert isinstance(renewed, auth0_stt.CustomTokenExchangeError)


def told_by(reply):
    """Return what a success says, and check that no other parser could read it differently."""
    assert 200 == reply.status
    constants = []
    pairs = []
    told = json.loads(
        reply.body.decode("utf-8"),
        object_pairs_hook=lambda found: pairs.append(found) or dict(found),
        parse_constant=constants.append,
    )
    assert isinstance(told, dict)
    assert not constants
    assert all(len(found) == len(dict(found)) for found in pairs)
    assert "error" not in told
    return told


def check_error(error, reply, secrets):
    assert isinstance(error.code, auth0_stt.CustomTokenExchangeErrorCode)
    assert error.status_code == reply.status
    assert not error.retryable or reply.status == 429 or 500 <= reply.status <= 599
    assert error.retry_after is None or 0 <= error.retry_after <= A_YEAR
    for words in (error.error, error.error_description):
        assert words is None or (words.isprintable() and 0 < len(words) <= LONGEST_TEXT)
    shown = f"{error}\n{error!r}\n{error.hint}\n{error.args}"
    for secret in secrets:
        for start in range(len(secret) - 15):
            assert secret[start : start + 16] not in shown


# --- URLs ------------------------------------------------------------------------------------------------------


def target_login_url(data):
    """A target, a token and an organization, parted by line feeds."""
    target, token, organization, *_ = [*text(data).split("\n", 2), "", ""]
    token = token if is_bare(token) else "the-stt"
    organization = organization or None
    result = auth0_stt.SessionTransferTokenResult(
        token, auth0_stt.SESSION_TRANSFER_TOKEN_TYPE, 60
    )
    built = outcome(
        auth0_stt.build_session_transfer_redirect, target, result, organization
    )
    if isinstance(built, auth0_stt.InvalidArgumentError):
        assert built.argument in ("target_login_url", "organization", "result")
        return
    added = {"session_transfer_token": token}
    if organization is not None:
        added["organization"] = organization
    ours, theirs, before = urlsplit(built), ada_url.URL(built), urlsplit(target)
    assert (
        "https:" == theirs.protocol
        or theirs.hostname in ("localhost", "[::1]")
        or is_127(theirs.hostname)
    )
    check_alike(ours, theirs)
    assert (before.scheme, before.netloc, before.fragment) == (
        ours.scheme,
        ours.netloc,
        ours.fragment,
    )
    assert (before.path or "/") == ours.path

    pairs = parse_qsl(ours.query, keep_blank_values=True)
    searched = ada_url.URLSearchParams(theirs.search)
    if is_utf8(unquote_to_bytes(ours.query)):  # ada-url can't show the rest
        assert list(searched.items()) == pairs
    for name, value in added.items():
        assert (
            [value]
            == [found for key, found in pairs if key == name]
            == searched.get_all(name)
        )
    # What was there before is still there, byte for byte.
    kept = [
        piece
        for piece in before.query.split("&")
        if unquote(piece.partition("=")[0]) not in added
    ]
    assert [piece for piece in kept if piece] == [
        piece for piece in ours.query.split("&") if piece
    ][: -len(added)]
    # The target itself is allowed, anything else is not.
    again = outcome(
        auth0_stt.build_session_transfer_redirect,
        target,
        result,
        organization,
        allowed_hosts=[before.netloc],
    )
    assert built == again
    refused = outcome(
        auth0_stt.build_session_transfer_redirect,
        target,
        result,
        organization,
        allowed_hosts=["elsewhere.example"],
    )
    assert (
        isinstance(refused, auth0_stt.InvalidArgumentError)
        or "elsewhere.example" == ours.hostname
    )
    # A login route reads out what was put in; an organization that the target had of its own may be malformed.
    if "organization" in added or "organization" not in dict(pairs):
        assert added == auth0_stt.session_transfer_params(
            parse_qs(ours.query, keep_blank_values=True)
        )


def domain(data):
    """A tenant's domain: the request goes where a browser would read it to point, and the audience says the same."""
    sent = []

    def post_form(url, form, *args, **kwargs):
        sent.append((url, form))
        return Reply(503, CaseInsensitiveDict(), b"")

    token_endpoint.post_form = post_form
    given = text(data)
    result = outcome(mint, given)
    if isinstance(result, auth0_stt.InvalidArgumentError):
        assert "domain" == result.argument
        assert not sent
        return
    ((url, form),) = sent
    ours, theirs = urlsplit(url), ada_url.URL(url)
    check_alike(ours, theirs)
    # Already in the form that browsers write.
    assert url == theirs.href
    assert "/oauth/token" == theirs.pathname
    assert ("", "", "", "") == (
        theirs.search,
        theirs.hash,
        theirs.username,
        theirs.password,
    )
    assert f"urn:{theirs.host}:session_transfer" == form["audience"]
    assert (
        "https:" == theirs.protocol
        or theirs.hostname in ("localhost", "[::1]")
        or is_127(theirs.hostname)
    )
    # Nothing but the letters' case, the scheme, its own port and a slash was taken away.
    assert theirs.hostname in given.lower() or theirs.hostname.startswith("[")


def is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_127(name):
    return name.startswith("127.") and name.replace(".", "").isdigit()


def check_alike(ours, theirs):
    """Check that urllib.parse and the URL Standard (as Ada has it, in Node.js) read one URL alike."""
    assert ours.scheme + ":" == theirs.protocol
    assert ours.username is None
    assert "" == theirs.username == theirs.password
    name = theirs.hostname[1:-1] if theirs.hostname.startswith("[") else theirs.hostname
    assert ours.hostname == name
    own = {"https": 443, "http": 80}[ours.scheme]
    assert (ours.port or own) == int(theirs.port or own)
    assert (ours.path or "/") == theirs.pathname
    assert ours.fragment == theirs.hash[1:]


# --- the application that is entered ---------------------------------------------------------------------------

settings.configure(DATA_UPLOAD_MAX_NUMBER_FIELDS=1000)


def session_transfer_params(data):
    """A query string as three frameworks hold it, or any JSON object in its place."""
    if data.startswith(b"{"):
        try:
            query = json.loads(data)
        except (ValueError, RecursionError):
            return
        check_passed_on(outcome(auth0_stt.session_transfer_params, query))
        return
    query = data.decode("ascii", "ignore")
    pairs = parse_qsl(query, keep_blank_values=True)
    holders = [MultiDict(pairs), parse_qs(query, keep_blank_values=True)]
    try:
        holders.append(QueryDict(query))
    except TooManyFieldsSent:
        return
    results = [outcome(auth0_stt.session_transfer_params, holder) for holder in holders]
    for result in results:
        check_passed_on(result)
        assert type(results[0]) is type(result)
        assert str(results[0]) == str(result)
    values = {
        name: [value for key, value in pairs if key == name]
        for name in ("session_transfer_token", "organization")
    }
    if not values["session_transfer_token"]:
        assert {} == results[0]
    elif any(len(each) > 1 for each in values.values()) or not all(
        is_bare(each)
        for each in values["session_transfer_token"] + values["organization"]
    ):
        assert isinstance(results[0], auth0_stt.InvalidArgumentError)
    else:
        assert {name: each[0] for name, each in values.items() if each} == results[0]


def check_passed_on(result):
    if isinstance(result, auth0_stt.SessionTransferError):
        assert isinstance(result, auth0_stt.InvalidArgumentError)
        assert "query" == result.argument
    else:
        assert set(result) <= {"session_transfer_token", "organization"}
        assert not result or "session_transfer_token" in result
        assert all(map(is_bare, result.values()))


def actor_from_claims(data):
    """Any JSON as the claims of a session."""
    try:
        claims = json.loads(data)
    except (ValueError, RecursionError):
        return
    actor = outcome(auth0_stt.actor_from_claims, claims)
    if isinstance(actor, auth0_stt.SessionTransferError):
        assert isinstance(actor, auth0_stt.InvalidArgumentError)
        assert "claims" == actor.argument
        assert not isinstance(claims, dict) or "act" in claims
    elif actor is None:
        # Nothing that has an act claim passes for the customer's own session.
        assert "act" not in claims
    else:
        hash(actor)
        assert claims["act"]["sub"] == actor.sub
        assert actor.sub.strip()
        assert (
            {**actor.claims, "sub": actor.sub} == claims["act"]
            or claims != claims
            or has_nan(claims)
        )


def has_nan(claims):
    return "NaN" in json.dumps(claims)


TARGETS = {
    target.__name__: target
    for target in (
        answer,
        target_login_url,
        domain,
        session_transfer_params,
        actor_from_claims,
    )
}

if __name__ == "__main__":
    for name, target in TARGETS.items():
        for path in sorted((CORPUS / name).iterdir()):
            try:
                target(path.read_bytes())
            except Exception:
                print(f"{name}: {path.name}", flush=True)
                raise
