"""The agent's own token: used as it is while fresh, renewed with the refresh token once stale (RFC 6749, 6)."""

import base64
import time
from typing import Any, Dict, Optional, Union

from .arguments import parse_domain, seconds, text_error, token_error
from .client_auth import (
    ClientAssertion,
    ClientCertificate,
    credential_error,
    credentials,
)
from .errors import Code, CustomTokenExchangeError, SessionTransferError
from .models import ID_TOKEN_TYPE, ActorToken
from .token_endpoint import log_outcome, parse_object, request_tokens
from .transport import Session, session_error


def resolve_actor_token(
    domain: str,
    *,
    client_id: str,
    id_token: Optional[str],
    refresh_token: Optional[str] = None,
    client_secret: Optional[str] = None,
    client_assertion: Optional[ClientAssertion] = None,
    client_certificate: Optional[ClientCertificate] = None,
    leeway: float = 30.0,
    timeout: float = 10.0,
    session: Optional[Session] = None,
) -> ActorToken:
    """Return the agent's ID token as an actor token, renewed first if it is stale.

    :param id_token: the ID token of the agent's session. One that stays valid for ``leeway`` seconds is used
        without a request: only its ``exp`` is read, the signature is the tenant's to check. One that is stale,
        unreadable or None is renewed.
    :param refresh_token: the refresh token of the agent's session. Where ``refreshed`` is True in what comes
        back, store its ``actor_token`` and ``refresh_token`` at once: the tenant may have rotated the old one
        away, and using that again can sign the agent out.
    :param timeout: seconds for the whole call, name resolution apart.

    The other arguments are those of :func:`request_session_transfer_token`. A renewed ID token is not looked
    into, since it is the tenant's newest word and the clock here may be wrong.

    Raises :class:`CustomTokenExchangeError` with the code ``actor_unavailable`` where there is no usable token
    (the message says why; ``error``, ``error_description`` and ``status_code`` are the tenant's, where it
    refused), with ``mfa_required`` where the agent must sign in anew, or with the code of a tenant in trouble;
    :class:`InvalidArgumentError` for a mistake in the arguments; :class:`TransportError` where no answer came.

    Source: OpenID Connect Core 1.0, 12; RFC 6749, 6; Auth0, "Refresh Token Rotation".
    """
    started = time.monotonic()
    tenant = parse_domain(domain)
    timeout = seconds("timeout", timeout)
    leeway = seconds("leeway", leeway, zero=True)
    error = (
        credential_error(
            tenant, client_id, client_secret, client_assertion, client_certificate
        )
        or session_error(session)
        or (
            None
            if id_token is None or isinstance(id_token, str)
            else token_error("id_token", id_token)
        )
        or (
            None
            if refresh_token is None
            else token_error("refresh_token", refresh_token)
        )
    )
    if (
        error is None
        and id_token is not None
        and _is_fresh(id_token, time.time() + leeway)
    ):
        return ActorToken(id_token, ID_TOKEN_TYPE, refresh_token, False)
    if error is None and refresh_token is None:
        state = "missing" if id_token is None else "stale or unreadable"
        error = _unavailable(
            f"the ID token is {state}, and there is no refresh token to renew it"
        )
    if error is None and callable(client_assertion):
        client_assertion = client_assertion(tenant.issuer)
        error = text_error(
            "client_assertion", client_assertion, "what the callable returned"
        )

    outcome = error or _renewed(
        request_tokens(
            tenant,
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                "scope": "openid",
                "client_id": client_id,
            },
            credentials(client_secret, client_assertion, client_certificate),
            None,
            timeout,
            session,
        ),
        refresh_token,
    )
    log_outcome("actor token", outcome, tenant, client_id, None, started)
    if isinstance(outcome, SessionTransferError):
        raise outcome
    return outcome


def _is_fresh(id_token: str, moment: float) -> bool:
    """Whether the token is readable and its ``exp`` (RFC 7519, 4.1.4) a finite number after the moment."""
    try:
        _, payload, _ = id_token.split(".")
        claims = parse_object(
            base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        )
        expiry = (claims or {}).get("exp")
        if not isinstance(expiry, (int, float)) or isinstance(expiry, bool):
            return False
        return float(expiry) > moment and token_error("id_token", id_token) is None
    except (ValueError, OverflowError):
        return False


def _renewed(
    answer: Union[Dict[str, Any], SessionTransferError], refresh_token: Optional[str]
) -> Union[ActorToken, SessionTransferError]:
    """Return what is to be stored, or the error: a tenant that refuses leaves no actor, one in trouble says nothing."""
    if isinstance(answer, CustomTokenExchangeError) and not _is_trouble(answer):
        refused = f"the tenant refused to renew the ID token: {answer.error or answer.status_code}"
        return _unavailable(
            refused, answer.error, answer.error_description, answer.status_code
        )
    if isinstance(answer, SessionTransferError):
        return answer
    id_token, rotated = answer.get("id_token"), answer.get("refresh_token")
    if token_error("id_token", id_token) is not None:
        return _unavailable(
            "the tenant renewed no ID token: was openid granted at the sign-in?",
            status=200,
        )
    kept = (
        refresh_token if token_error("refresh_token", rotated) is not None else rotated
    )
    return ActorToken(str(id_token), ID_TOKEN_TYPE, kept, True)


def _is_trouble(error: CustomTokenExchangeError) -> bool:
    """Whether the tenant is in trouble, or wants something else of the agent: the actor is not missing then."""
    told_apart = (
        Code.mfa_required,
        Code.invalid_response,
        Code.server_error,
        Code.temporarily_unavailable,
    )
    return (
        error.code in told_apart
        or error.status_code == 429
        or (error.status_code or 0) >= 500
    )


def _unavailable(
    reason: str,
    error: Optional[str] = None,
    description: Optional[str] = None,
    status: Optional[int] = None,
) -> CustomTokenExchangeError:
    return CustomTokenExchangeError(
        Code.actor_unavailable, reason, error, description, status
    )
