"""The one place that reads Flask's request: everything else gets plain values."""

import base64
import hmac
import json
from typing import Any, Dict, List, Optional

from flask import current_app, g, request

from ..origin import ADDRESS_HEADER, Origin, parse_ip
from ..records import Facts, PushedRequest, Session
from ..state import LOOPBACK_NAMES, State

STATE = "auth0_stt.state"
SERVER = "auth0_stt.server"


def state() -> State:
    """Return the tenant that the current request is for."""
    found: State = current_app.extensions[STATE]
    return found


def server() -> Any:
    """Return Authlib's authorization server for that tenant."""
    return current_app.extensions[SERVER]


def facts() -> Facts:
    """Return what the log will say of the current request."""
    if "facts" not in g:
        g.facts = Facts()
    found: Facts = g.facts
    return found


def host() -> str:
    """Return the Host header."""
    return request.host


def path() -> str:
    """Return the path of the current request."""
    return request.path


def origin() -> Origin:
    """Return where the current request comes from."""
    mtls, certificate = request.host.startswith("mtls."), None
    if mtls:
        certificate = request.environ.get("SSL_CLIENT_CERT")
    domain = request.host[len("mtls.") :] if mtls else request.host
    name = domain.partition(":")[0]
    return Origin(
        ip=_ip(state().address_secret),
        host=domain,
        issuer=f"{state().scheme}://{domain}/",
        bare_host=name if name in LOOPBACK_NAMES else domain,
        method=request.method,
        user_agent=request.headers.get("User-Agent", ""),
        language=request.headers.get("Accept-Language"),
        auth0_client=_auth0_client(request.headers.get("Auth0-Client", "")),
        forwarded_for=request.headers.get("auth0-forwarded-for"),
        certificate=certificate,
    )


def _ip(address_secret: str) -> str:
    """Return the caller's IP address; a browser of this package may name another."""
    secret, _, ip = request.headers.get(ADDRESS_HEADER, "").partition(" ")
    if hmac.compare_digest(secret.encode(), address_secret.encode()):
        return parse_ip(ip) or ip
    return str(request.remote_addr)


def _auth0_client(header: str) -> Any:
    """Return the object in the header that Auth0's SDKs send, or None."""
    try:
        decoded = base64.urlsafe_b64decode(header.replace("+", "-").replace("/", "_"))
        found = json.loads(decoded)
    except ValueError:
        return None
    return found if isinstance(found, (dict, list)) else None


def authorization() -> str:
    """Return the Authorization header, or an empty str."""
    return request.headers.get("Authorization", "")


def is_head_or_get() -> bool:
    """Return whether the request only reads."""
    return request.method in ("GET", "HEAD")


def query() -> Dict[str, str]:
    """Return the parameters of the URL, the first of each name."""
    return request.args.to_dict()


def repeated(where: str) -> List[str]:
    """Return the names that occur repeatedly in the ``"query"`` or the ``"form"``."""
    if where == "form":
        return [name for name, value in form().items() if isinstance(value, list)]
    return [name for name, values in request.args.lists() if len(values) > 1]


def form() -> Dict[str, Any]:
    """Return the form, or JSON in its place. A repeated field is a list."""
    if request.is_json:
        return _of_json(request.get_json(silent=True))
    return {
        name: values if len(values) > 1 else values[0]
        for name, values in request.form.lists()
    }


def _of_json(body: Any) -> Dict[str, Any]:
    """Return the fields of a JSON object that a form could have, too."""
    fields = body if isinstance(body, dict) else {}
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    lists = {
        name: value
        for name, value in fields.items()
        if isinstance(value, list) and all(isinstance(each, str) for each in value)
    }
    return {**texts, **lists}


def fields() -> Dict[str, str]:
    """Return the fields of the form that occur once."""
    return {name: value for name, value in form().items() if isinstance(value, str)}


def authorization_request() -> Dict[str, str]:
    """Return the parameters of an authorization request: sent, posted or pushed."""
    # RFC 6749, 3.1: one without a value is treated as if it were omitted.
    sent = {name: value for name, value in {**query(), **fields()}.items() if value}
    pushed = pushed_request()
    return sent if pushed is None else pushed.parameters


def pushed_request() -> Optional[PushedRequest]:
    """Return the pushed request that the current one refers to (RFC 9126)."""
    sent = {**query(), **fields()}
    found = state().records.pushed.get(sent.get("request_uri", ""))
    if found is None or found.client_id != sent.get("client_id"):
        return None
    return None if found.expires_at <= state().clock() else found


def open_session() -> Optional[Session]:
    """Return the session of the browser on the domain that the request goes to."""
    tenant = state()
    cookie = request.cookies.get(tenant.cookie, "")
    return tenant.open_session(cookie, origin().issuer)
