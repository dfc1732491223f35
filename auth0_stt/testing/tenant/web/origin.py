"""The one place that reads Flask's request: everything else gets plain values."""

import hmac
from typing import Any, Dict, List, Optional

from flask import current_app, g, request

from ..origin import ADDRESS_HEADER, Origin, parse_ip
from ..records import Facts, Session
from ..state import State

STATE = "auth0_stt.state"


def state() -> State:
    """Return the tenant that the current request is for."""
    found: State = current_app.extensions[STATE]
    return found


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
    return Origin(
        ip=_ip(state().address_secret),
        host=domain,
        issuer=f"{state().scheme}://{domain}/",
        method=request.method,
        user_agent=request.headers.get("User-Agent", ""),
        auth0_client=request.headers.get("Auth0-Client"),
        forwarded_for=request.headers.get("auth0-forwarded-for"),
        certificate=certificate,
    )


def _ip(address_secret: str) -> str:
    """Return the caller's IP address; a browser of this package may name another."""
    secret, _, ip = request.headers.get(ADDRESS_HEADER, "").partition(" ")
    if hmac.compare_digest(secret.encode(), address_secret.encode()):
        return parse_ip(ip) or ip
    return str(request.remote_addr)


def query() -> Dict[str, str]:
    """Return the parameters of the URL, the first of each name."""
    return request.args.to_dict()


def repeated(fields: str) -> List[str]:
    """Return the names that occur more than once in the ``"query"`` or the ``"form"``."""
    source = request.form if fields == "form" else request.args
    return [name for name, values in source.lists() if len(values) > 1]


def form() -> Dict[str, Any]:
    """Return the form as Auth0 has it: a field that is repeated as a list."""
    return {
        name: values if len(values) > 1 else values[0]
        for name, values in request.form.lists()
    }


def has_authorization() -> bool:
    """Return whether the request has an Authorization header."""
    return "Authorization" in request.headers


def open_session() -> Optional[Session]:
    """Return the session of the browser on the domain that the request goes to."""
    tenant = state()
    cookie = request.cookies.get(tenant.cookie, "")
    return tenant.open_session(cookie, origin().issuer)
