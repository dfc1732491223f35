"""Mint a session transfer token: the support console's token exchange (RFC 8693, 2)."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence, Union

from . import arguments
from .client_auth import ClientAssertion, ClientCertificate, checked_client
from .errors import Code, SessionTransferError, boundary
from .models import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    SessionTransferTokenResult,
)
from .token_endpoint import TokenRequest
from .transport import Session

_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693, 2.1


@boundary
def request_session_transfer_token(
    domain: str,
    *,
    client_id: str,
    subject_token: str,
    subject_token_type: str,
    actor_token: Optional[str] = None,
    actor_token_type: Optional[str] = None,
    client_secret: Optional[str] = None,
    client_assertion: Optional[ClientAssertion] = None,
    client_certificate: Optional[ClientCertificate] = None,
    organization: Optional[str] = None,
    scope: Union[str, Sequence[str], None] = None,
    reason: Optional[str] = None,
    forwarded_for: Optional[str] = None,
    extra: Optional[Mapping[str, Union[str, Sequence[str]]]] = None,
    timeout: float = 10.0,
    session: Optional[Session] = None,
) -> SessionTransferTokenResult:
    """Exchange proof of customer and agent for a session transfer token.

    :param domain: the tenant's host, such as ``acme.eu.auth0.com``, or its custom
        domain; ``http://`` only for loopback.
    :param subject_token: what proves the customer to the tenant's Action. Its type,
        ``subject_token_type``, is the URI of the token exchange profile that takes it,
        such as ``urn:acme:customer``.
    :param actor_token: what proves the agent: in practice the ID token of the agent's
        session, with ``actor_token_type=ID_TOKEN_TYPE``. :func:`resolve_actor_token`
        keeps it fresh.
    :param client_secret: pass exactly one of this, ``client_assertion`` (a JWT, or a
        function that makes one for the audience ``https://{domain}/``, called for each
        request) and ``client_certificate`` (the path of a PEM file, or of a certificate
        and of its key; the request goes to ``mtls.{domain}``).
    :param organization: id or name, which the tenant checks while minting.
    :param scope: names separated by spaces, or a list of them.
    :param reason: why the agent enters, such as a ticket number. The Action finds it in
        ``event.request.body.reason``.
    :param forwarded_for: the agent's own IP address. The token works only from the
        address that asks for it: without this, the server's. Auth0 believes it only
        together with a client secret, and only if *Trust Token Endpoint IP Header* is
        on for the application.
    :param extra: additional form fields for the Action: str or list of str by name.
    :param timeout: seconds for the whole call, from connecting to the last byte of the
        answer. Name resolution, and each step of a SOCKS proxy, can't be bounded.
    :param session: a ``requests.Session`` whose adapters, proxies, ``verify``, ``cert``
        and headers are used; its auth and cookies are not. Time and size are then
        bounded as far as its adapters allow, and an exception that a signal handler
        raises can leave a lock of urllib3's pool taken.

    One call sends one request. What the tokens contain is not checked here, but by the
    tenant; none may be longer than 64 KiB.

    Raises :class:`InvalidArgumentError` for a mistake in the arguments, before anything
    is sent; :class:`CustomTokenExchangeError` if a token is missing or malformed, the
    tenant refuses, or its answer can't be used; :class:`TransportError` if no answer
    came. What a ``client_assertion`` function raises passes through.
    Source: RFC 8693, 2; Auth0, "Session Delegation" and "Custom Token Exchange".
    """
    proofs = client_secret, client_assertion, client_certificate
    client = checked_client(domain, client_id, proofs, timeout, session)
    scope = arguments.scope_text(scope)
    address = arguments.address_text("forwarded_for", forwarded_for)
    additional = arguments.extra_fields(extra)
    organization = arguments.optional_text("organization", organization)
    reason = arguments.optional_text("reason", reason, spaces=True)
    subject_token_type = arguments.uri("subject_token_type", subject_token_type)

    # Missing or malformed tokens are logged, since they are not mistakes in the code.
    what = "session transfer token"
    with TokenRequest(what, client, organization, reason, address) as request:
        actor_token, actor_token_type = arguments.actor(actor_token, actor_token_type)
        if actor_token_type == ID_TOKEN_TYPE:
            request.id_token = actor_token
        subject_token = arguments.token("subject_token", subject_token)
        form = {
            "grant_type": _TOKEN_EXCHANGE,
            "audience": f"urn:{client.tenant.domain}:session_transfer",
            "scope": scope,
            "subject_token": subject_token,
            "subject_token_type": subject_token_type,
            "actor_token": actor_token,
            "actor_token_type": actor_token_type,
            "organization": organization,
            "reason": reason,
            **additional,
            **client.form_fields(),
        }
        return _result(request, request.send(form))


def _result(request: TokenRequest, content: Any) -> SessionTransferTokenResult:
    """Return the result that an answer holds (RFC 8693, 2.2.1)."""
    try:
        issued = arguments.token("access_token", content.get("access_token"))
    except SessionTransferError:
        raise request.unusable("its access_token is missing or malformed") from None
    kind = content.get("issued_token_type")
    if kind != SESSION_TRANSFER_TOKEN_TYPE:
        problem = "the tenant issued a token that is not a session transfer token"
        raise request.error(Code.UNEXPECTED_TOKEN_TYPE, problem)
    texts = [content.get("token_type"), content.get("scope")]
    if not all(text is None or isinstance(text, str) for text in texts):
        raise request.unusable("its token_type or scope is not a string")
    lifetime = content.get("expires_in")  # which RFC 8693 only recommends
    fits = arguments.is_number(lifetime) and lifetime in range(1, 86_401)
    if lifetime is not None and not fits:
        raise request.unusable("its expires_in is not whole seconds within a day")
    return SessionTransferTokenResult(issued, kind, lifetime and int(lifetime), *texts)
