"""The agent's ID token: used while it is fresh, renewed when stale (RFC 6749, 6)."""

from __future__ import annotations

import time
from contextlib import suppress
from sys import float_info
from typing import Any, Optional

from attr import evolve

from .answers import jwt_claims
from .arguments import is_number, plain, seconds, token
from .client_auth import ClientAssertion, ClientCertificate, checked_client
from .errors import Code, CustomTokenExchangeError, boundary
from .models import ID_TOKEN_TYPE, ActorToken
from .token_endpoint import TokenRequest
from .transport import Session


@boundary
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

    :param id_token: of the agent's session. If it stays valid for ``leeway`` seconds,
        it comes back without a request: only its ``exp`` is read, and the tenant checks
        its signature. If it is stale, unreadable or None, it is renewed.
    :param refresh_token: of the agent's session. If ``refreshed`` is True in what comes
        back, store its ``actor_token`` and ``refresh_token`` at once: to use a rotated
        refresh token again can sign the agent out.

    The other arguments are those of :func:`request_session_transfer_token`. A renewed
    ID token is not checked: the clock here may be wrong.

    Raises :class:`CustomTokenExchangeError` with the code ``actor_unavailable`` if
    there is no usable token and this refresh token gets none (the message says why),
    ``invalid_token_format`` for a malformed refresh token, and the tenant's own code
    otherwise, such as ``mfa_required``; :class:`InvalidArgumentError` for a mistake in
    the arguments; :class:`TransportError` if no answer came.
    Source: OpenID Connect Core 1.0, 12; RFC 6749, 6; Auth0, "Refresh Token Rotation".
    """
    proofs = client_secret, client_assertion, client_certificate
    client = checked_client(domain, client_id, proofs, timeout, session)
    leeway = seconds("leeway", leeway, zero=True)

    with TokenRequest("actor token", client) as request:
        if refresh_token is not None:
            refresh_token = token("refresh_token", refresh_token)
        if id_token is not None:
            request.id_token = plain(id_token)
            try:
                bare = token("id_token", id_token)
            except CustomTokenExchangeError:
                if not isinstance(id_token, str):
                    raise
                bare = ""  # it can't be sent
            expiry: Any = jwt_claims(bare).get("exp")  # a finite number (RFC 7519, 2)
            if is_number(expiry) and time.time() + leeway < expiry <= float_info.max:
                return ActorToken(bare, ID_TOKEN_TYPE, refresh_token, False)
        if refresh_token is None:
            state = "missing" if id_token is None else "stale or unreadable"
            problem = f"the ID token is {state}, and there is no refresh token"
            raise CustomTokenExchangeError(Code.ACTOR_UNAVAILABLE, problem)
        return _renewed(request, refresh_token)


def _renewed(request: TokenRequest, refresh_token: str) -> ActorToken:
    """Send the refresh token and return what the tenant renews."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "scope": "openid",
        **request.client.form_fields(),
    }
    try:
        content = request.send(form)
    except CustomTokenExchangeError as error:
        if error.code != Code.INVALID_GRANT:
            raise
        message = f"the tenant refused to renew the ID token: {error.error}"
        raise evolve(error, code=Code.ACTOR_UNAVAILABLE, message=message) from None
    try:
        id_token = token("id_token", content.get("id_token"))
    except CustomTokenExchangeError:
        problem = "the tenant renewed no ID token: was openid granted at the sign-in?"
        raise request.error(Code.ACTOR_UNAVAILABLE, problem) from None
    with suppress(CustomTokenExchangeError):  # none came, or none that can be sent
        refresh_token = token("refresh_token", content.get("refresh_token"))
    return ActorToken(id_token, ID_TOKEN_TYPE, refresh_token, True)
