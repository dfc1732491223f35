"""Reads a tenant through Auth0's Management API: GET requests only, and no secret."""

import json
import secrets
import threading
from typing import Any, Callable, Dict, List, Mapping, Optional, Set, Tuple
from urllib.parse import quote

from attr import attrs
from requests import PreparedRequest, Response, Session
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import RequestException, SSLError, Timeout

from ..answers import retry_after
from ..arguments import seconds
from ..errors import InvalidArgumentError
from ..tenant import Tenant, parse_domain
from .case import split_url
from .documents import SOURCES, Source

# Seconds for one answer, which a larger timeout for all does not extend.
_LONGEST = 30.0
_MOST_BYTES = 8 * 1024 * 1024
# Without these two there is nothing to judge.
_CLIENTS = ("console", "shop")


@attrs(auto_attribs=True, auto_exc=True, str=False)
class ReadError(Exception):
    """The tenant could not be read at all.

    ``code`` is ``unreachable``, ``tls``, ``timeout``, ``throttled``, ``unauthorized``,
    ``server_error`` or ``invalid_response``.
    """

    code: str
    message: str
    retryable: bool = False
    #: Seconds to wait before the next attempt, None if the tenant did not say.
    retry_after: Optional[float] = None

    def __str__(self) -> str:
        return self.message


class _Bearer:
    """Authorizes the requests. As ``auth`` of a session it keeps ``.netrc`` out."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def read(
    domain: str,
    management_token: str,
    *,
    console: str,
    shop: str,
    subject_token_type: Optional[str] = None,
    organization: Optional[str] = None,
    timeout: float = 30.0,
    verify: Optional[str] = None,
) -> Dict[str, Any]:
    """Read what :func:`auth0_stt.doctor.diagnose` judges, and return it by name.

    ``domain`` is the tenant's own, not a custom one; ``management_token`` is an access
    token for its Management API; ``verify`` is the path of a CA bundle. ``timeout`` is
    in seconds, for everything. What the token may not read, or what is not there, is
    returned as the error that the API answered with. Nothing is repeated, and nothing
    more is sent after a 429: the rest is returned as this error, with ``retry_after``
    in seconds, None if the tenant did not say.

    Raises:
        ReadError: the tenant can't be reached, refuses the token, takes longer than
            ``timeout``, does not speak as the API does, or answers with a 429
            before both applications were read.
        InvalidArgumentError: ``domain`` or ``timeout`` is invalid.
    """
    if not management_token.isprintable() or " " in management_token:
        raise ReadError("unauthorized", "the management token is not a bare token")
    reader = _Reader(parse_domain(domain), management_token, verify)
    given = {"console": console, "shop": shop, "organization": organization}
    return _within(
        seconds("timeout", timeout), lambda: reader.read(given, subject_token_type)
    )


def try_login(
    target_login_url: str,
    organization: Optional[str] = None,
    timeout: float = 10.0,
    verify: Optional[str] = None,
) -> Dict[str, Any]:
    """Open a login URL once with a made-up token. Return the document ``try-login``.

    No redirect is followed, so that the token never reaches the tenant.

    Raises:
        ReadError: there is no answer within ``timeout`` seconds.
        InvalidArgumentError: ``target_login_url`` is not the URL of a web page.
    """
    url = split_url(target_login_url)
    if url is None or url.scheme not in ("http", "https"):
        message = "target_login_url must be the URL of the shop's login route"
        raise InvalidArgumentError(message, "target_login_url")
    sent = {
        "session_transfer_token": "doctor-" + secrets.token_hex(8),
        "organization": organization or "org_0000000000000000",
    }

    def get() -> Dict[str, Any]:
        with Session() as session:
            session.auth = lambda request: request
            session.verify = verify or True
            with session.get(
                target_login_url,
                params=sent,
                allow_redirects=False,
                stream=True,
                timeout=_LONGEST,
            ) as answer:
                location = answer.headers.get("Location")
                return {
                    "status": answer.status_code,
                    "location": location,
                    "sent": sent,
                }

    return _within(seconds("timeout", timeout), get)


def _within(timeout: float, work: Callable[[], Dict[str, Any]]) -> Dict[str, Any]:
    """Return what ``work`` returns, or raise when the time is up.

    A thread does the work: no setting of requests bounds a server that sends a byte now
    and then, or the resolution of a name.
    """
    outcome: List[Tuple[Optional[Dict[str, Any]], Optional[BaseException]]] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    if not outcome:
        message = f"there was no answer within {timeout:g} seconds"
        raise ReadError("timeout", message, retryable=True)
    result, error = outcome[0]
    if error is None:
        return result or {}
    if isinstance(error, OSError):
        raise _read_error(error) from None
    raise error


def _read_error(error: OSError) -> ReadError:
    """Return what an exception of requests' means; none of their texts is repeated."""
    if isinstance(error, Timeout):
        return ReadError("timeout", "there was no answer in time", retryable=True)
    if isinstance(error, SSLError):
        return ReadError("tls", "the server's certificate was refused")
    if isinstance(error, RequestsConnectionError):
        return ReadError("unreachable", "the server can't be reached")
    if isinstance(error, RequestException):
        return ReadError("invalid_response", "the answer breaks the rules of HTTP")
    return ReadError("tls", "the CA bundle can't be read")


class _Reader:
    def __init__(self, tenant: Tenant, token: str, verify: Optional[str]) -> None:
        self._base = f"{tenant.scheme}://{tenant.domain}/api/v2/"
        self._token = token
        self._verify = verify
        self._failures: List[ReadError] = []

    def read(
        self, given: Mapping[str, Optional[str]], subject_token_type: Optional[str]
    ) -> Dict[str, Any]:
        known = {name: value for name, value in given.items() if value}
        documents: Dict[str, Any] = {}
        throttled: Optional[Dict[str, Any]] = None
        with Session() as session:
            session.auth = _Bearer(self._token)
            session.verify = self._verify or True
            for source in SOURCES.values():
                if source.name == "action":
                    profiles = documents["token-exchange-profiles"]
                    action = _action_id(profiles, subject_token_type)
                    if action is not None:
                        known["action"] = action
                if any("{" + each + "}" in source.path for each in _unknown(known)):
                    continue
                try:
                    found = throttled or self._document(session, source, known)
                except ReadError as error:
                    if error.code != "throttled" or source.name in _CLIENTS:
                        raise
                    # The limit is the tenant's: its applications need what is left.
                    found = throttled = _throttled(error)
                documents[source.name] = found
                if source.name == "organization" and "id" in found:
                    known["organization"] = str(found["id"])
        if len(self._failures) == len(documents):
            raise self._failures[0]
        return documents

    def _document(
        self, session: Session, source: Source, known: Mapping[str, str]
    ) -> Any:
        path = source.path
        for name, value in known.items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        query = [(name, _filled(value, known)) for name, value in source.query]
        if "organizations/" in path and not known["organization"].startswith("org_"):
            path = path.replace("organizations/", "organizations/name/")
        try:
            if source.items in (None, "-", "logs"):
                return self._get(session, path, query)
            return self._pages(session, source, path, query)
        except (ReadError, OSError) as error:
            failure = error if isinstance(error, ReadError) else _read_error(error)
            if failure.code not in ("invalid_response", "server_error"):
                raise failure from None
            self._failures.append(failure)
            return {"statusCode": 0, "message": failure.message}

    def _pages(
        self,
        session: Session,
        source: Source,
        path: str,
        query: List[Tuple[str, str]],
    ) -> Any:
        """Read a list page by page, with ``next`` as checkpoint if there is one."""
        key = str(source.items)
        items: List[Any] = []
        seen: Set[str] = set()
        begin: Optional[str] = None
        while True:
            page = self._get(
                session, path, query + ([("from", begin)] if begin else [])
            )
            if not isinstance(page, dict) or not isinstance(page.get(key), list):
                return page
            items += page[key]
            begin = page.get("next")
            if not begin or not isinstance(begin, str):
                return {**page, key: items}
            if begin in seen:
                raise ReadError("invalid_response", f"{path} pages in a circle")
            seen.add(begin)

    def _get(self, session: Session, path: str, query: List[Tuple[str, str]]) -> Any:
        with session.get(
            self._base + path,
            params=query,
            headers={"Accept": "application/json"},
            allow_redirects=False,
            stream=True,
            timeout=_LONGEST,
        ) as answer:
            return self._answer(path, answer)

    def _answer(self, path: str, answer: Response) -> Any:
        status = answer.status_code
        if status == 401:
            message = (
                "the management token was refused: it has expired, or it is for "
                "another tenant or another API"
            )
            raise ReadError("unauthorized", message)
        if status == 429:
            message = "the Management API asks to come back later (HTTP 429)"
            wait = retry_after(answer.headers)
            raise ReadError("throttled", message, retryable=True, retry_after=wait)
        if status >= 500:
            message = f"GET {path} answered HTTP {status}"
            raise ReadError("server_error", message, retryable=True)
        value = _json(path, answer)
        if status == 200:
            return value
        if status < 400:
            message = f"GET {path} answered HTTP {status}, a redirect"
            raise ReadError("invalid_response", message)
        said = value.get("message") if isinstance(value, dict) else None
        error = {"statusCode": status, "message": said if isinstance(said, str) else ""}
        if isinstance(value, dict) and isinstance(value.get("errorCode"), str):
            error["errorCode"] = value["errorCode"]
        return error


def _throttled(error: ReadError) -> Dict[str, Any]:
    """Return the document for what is not asked for after a 429."""
    return {
        "statusCode": 429,
        "message": "the tenant asks to come back later, so the rest was not read",
        "retry_after": error.retry_after,
    }


def _json(path: str, answer: Response) -> Any:
    body, length = [], 0
    for chunk in answer.iter_content(65536):
        length += len(chunk)
        if length > _MOST_BYTES:
            raise ReadError("invalid_response", f"GET {path} answered too much")
        body.append(chunk)
    try:
        return json.loads(b"".join(body).decode("utf-8"))
    except (ValueError, RecursionError):
        message = f"GET {path} answered HTTP {answer.status_code} without JSON"
        raise ReadError("invalid_response", message) from None


def _filled(value: str, known: Mapping[str, str]) -> str:
    for name, each in known.items():
        # Within a query of the log search, quotes delimit the value.
        value = value.replace("{" + name + "}", each.replace('"', ""))
    return value


def _unknown(known: Mapping[str, str]) -> List[str]:
    return [each for each in ("action", "organization") if each not in known]


def _action_id(profiles: Any, subject_token_type: Optional[str]) -> Optional[str]:
    """Return the Action of the console's profile, None if that is not clear."""
    key = "token_exchange_profiles"
    listed = profiles.get(key) if isinstance(profiles, dict) else profiles
    found = {
        each["action_id"]
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
        and isinstance(each.get("action_id"), str)
        and subject_token_type in (None, each.get("subject_token_type"))
    }
    return found.pop() if len(found) == 1 else None
