"""Mint a session transfer token: the token exchange that the support console makes (RFC 8693, 2)."""

import time
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from .arguments import (
    actor_error,
    extra_fields,
    ip_address,
    optional_text_error,
    parse_domain,
    scope_text,
    seconds,
    text_error,
    token_error,
    uri_error,
)
from .client_auth import (
    ClientAssertion,
    ClientCertificate,
    credential_error,
    credentials,
)
from .errors import (
    Code,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferError,
)
from .models import SESSION_TRANSFER_TOKEN_TYPE, SessionTransferTokenResult
from .token_endpoint import invalid_response, log_outcome, request_tokens
from .transport import Session, session_error

# RFC 8693, 2.1.
_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


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
    """Exchange proof of a customer and of an agent for a session transfer token: one call, one request.

    :param domain: the tenant's host, such as ``acme.eu.auth0.com``, or its custom domain; ``http://`` for
        loopback alone.
    :param subject_token: what proves the customer to the tenant's Action. ``subject_token_type`` is the URI of
        the exchange profile that it is for, such as ``urn:acme:customer``.
    :param actor_token: what proves the agent: in practice the ID token of the agent's session, with
        ``actor_token_type=ID_TOKEN_TYPE``; :func:`resolve_actor_token` keeps it fresh.
    :param client_secret: pass exactly one of this, ``client_assertion`` (a JWT, or a callable that makes one for
        the audience ``https://{domain}/``, called for each request) and ``client_certificate`` (the path of a
        PEM file, or of a certificate and of its key; the request goes to ``mtls.{domain}``).
    :param organization: id or name; the tenant checks it while minting.
    :param scope: names parted by spaces, or a list of them.
    :param reason: why the agent enters, such as a ticket number: the Action finds it in ``event.request.body``.
    :param forwarded_for: the agent's own IP address. The token is good from the address that asks for it, which
        is this server's without it. Auth0 believes it only with *Trust Token Endpoint IP Header* switched on for
        the application, and only beside a client secret.
    :param extra: further form fields for the Action: str or list of str by name.
    :param timeout: seconds for the whole call, from connecting to the last byte of the answer. Name resolution
        is the one part that the system does not let us bound.
    :param session: a ``requests.Session`` whose adapters, proxies, ``verify``, ``cert`` and headers to use; not
        its auth and cookies. Time and size are then bounded as far as its adapters let them be.

    The tokens' contents are not checked here; that is the tenant's part.

    Raises :class:`InvalidArgumentError` for a mistake in the arguments, before anything is sent;
    :class:`CustomTokenExchangeError` where the tenant refused, its answer can't be used, or a token is missing or
    malformed; :class:`TransportError` where no answer came. What a callable ``client_assertion`` raises passes.

    Source: RFC 8693, 2; Auth0, "Session Delegation" and "Custom Token Exchange".
    """
    started = time.monotonic()
    tenant = parse_domain(domain)
    timeout = seconds("timeout", timeout)
    scope = scope_text(scope)
    address = ip_address("forwarded_for", forwarded_for)
    further = extra_fields(extra)
    if isinstance(further, InvalidArgumentError):
        raise further
    error = (
        credential_error(
            tenant, client_id, client_secret, client_assertion, client_certificate
        )
        or optional_text_error("organization", organization)
        or optional_text_error("reason", reason, spaces=True)
        or session_error(session)
        or uri_error("subject_token_type", subject_token_type)
        or token_error("subject_token", subject_token)
        or actor_error(actor_token, actor_token_type)
    )
    if error is None and callable(client_assertion):
        client_assertion = client_assertion(tenant.issuer)
        error = text_error(
            "client_assertion", client_assertion, "what the callable returned"
        )

    outcome = error or _issued(
        request_tokens(
            tenant,
            {
                "grant_type": _TOKEN_EXCHANGE,
                "audience": tenant.audience,
                "scope": scope,
                "subject_token": subject_token,
                "subject_token_type": subject_token_type,
                "actor_token": actor_token,
                "actor_token_type": actor_token_type,
                "client_id": client_id,
                "organization": organization,
                "reason": reason,
                **further,
            },
            credentials(client_secret, client_assertion, client_certificate),
            address,
            timeout,
            session,
        ),
        tenant.domain,
    )
    log_outcome(
        "session transfer token", outcome, tenant, client_id, organization, started
    )
    if isinstance(outcome, SessionTransferError):
        raise outcome
    return outcome


def _issued(
    answer: Union[Dict[str, Any], SessionTransferError], domain: str
) -> Union[SessionTransferTokenResult, SessionTransferError]:
    """Return the result, or the error of an answer that is none (RFC 8693, 2.2.1)."""
    if isinstance(answer, SessionTransferError):
        return answer
    token, lifetime = answer.get("access_token"), answer.get("expires_in")
    if token_error("access_token", token) is not None:
        return invalid_response(domain, "its access_token is missing or malformed")
    if answer.get("issued_token_type") != SESSION_TRANSFER_TOKEN_TYPE:
        return CustomTokenExchangeError(
            Code.unexpected_token_type,
            f"{domain} issued a token of another type than a session transfer token",
            status_code=200,
        )
    # bool is an int to Python, not to JSON.
    if (
        not isinstance(lifetime, (int, float))
        or isinstance(lifetime, bool)
        or lifetime < 1
    ):
        return invalid_response(domain, "its expires_in is not a number of seconds")
    texts = [answer.get("token_type"), answer.get("scope")]
    if not all(text is None or isinstance(text, str) for text in texts):
        return invalid_response(domain, "its token_type or scope is not a text")
    return SessionTransferTokenResult(
        str(token), SESSION_TRANSFER_TOKEN_TYPE, int(lifetime), *texts
    )
