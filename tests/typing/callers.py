"""Every public name as callers use it: checked by mypy and pyright, never run.

A line marked "type: ignore" must be an error to both: they report an ignore that is of no use.
"""

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Union

import requests

import auth0_stt
from auth0_stt import (
    DELEGATED_SESSION_LIFETIME,
    ID_TOKEN_TYPE,
    REDIRECT_HEADERS,
    SESSION_TRANSFER_TOKEN_TYPE,
    Actor,
    ActorToken,
    ClientSettings,
    CustomTokenExchangeError,
    CustomTokenExchangeErrorCode,
    InvalidArgumentError,
    SessionTransferError,
    SessionTransferTokenResult,
    TransportError,
    TransportErrorCode,
    actor_from_claims,
    build_logout_url,
    build_session_transfer_redirect,
    private_key_jwt,
    request_session_transfer_token,
    resolve_actor_token,
    session_transfer_params,
)

SETTINGS: Dict[str, Any] = {}


def mint(session: requests.Session, scopes: List[str]) -> str:
    everything: SessionTransferTokenResult = request_session_transfer_token(
        "acme.eu.auth0.com",
        client_id="console",
        subject_token="signed",
        subject_token_type="urn:acme:customer",
        actor_token="id token",
        actor_token_type=ID_TOKEN_TYPE,
        client_secret="secret",
        organization="org_1",
        scope=scopes,
        reason="ticket 7",
        forwarded_for="192.0.2.7",
        extra={"one": "1", "several": ["2", "3"]},
        timeout=5,
        session=session,
    )
    expires_in: Optional[int] = everything.expires_in
    token_type: Optional[str] = everything.token_type
    scope: Optional[str] = everything.scope
    print(expires_in, token_type, scope)
    return everything.session_transfer_token


def mint_without_a_shared_secret(pem: bytes) -> None:
    assertion: Callable[[str], str] = private_key_jwt("console", pem, algorithm="PS256")
    for each in (assertion, "a.signed.assertion"):
        request_session_transfer_token(
            "acme.eu.auth0.com",
            client_id="console",
            subject_token="signed",
            subject_token_type="urn:acme:customer",
            client_assertion=each,
        )
    for files in ("client.pem", Path("client.pem"), ("client.pem", "client.key")):
        request_session_transfer_token(
            "acme.eu.auth0.com",
            client_id="console",
            subject_token="signed",
            subject_token_type="urn:acme:customer",
            client_certificate=files,
            scope="openid profile",
        )


def mint_from_settings(settings: Dict[str, Any], id_token: Optional[str]) -> None:
    actor: ActorToken = resolve_actor_token(
        **settings, id_token=id_token, refresh_token=None, leeway=30, timeout=2.5
    )
    stored: Union[str, None] = actor.refresh_token
    renewed: bool = actor.refreshed
    print(stored, renewed)
    request_session_transfer_token(
        **settings,
        subject_token="signed",
        subject_token_type="urn:acme:customer",
        actor_token=actor.actor_token,
        actor_token_type=actor.actor_token_type,
    )


AUTH0: ClientSettings = {
    "domain": "acme.eu.auth0.com",
    "client_id": "console",
    "client_secret": "secret",
}
WITH_A_KEY: ClientSettings = {
    "domain": "acme.eu.auth0.com",
    "client_id": "console",
    "client_assertion": private_key_jwt("console", b"pem"),
}
WITH_FILES: ClientSettings = {
    "domain": "acme.eu.auth0.com",
    "client_id": "console",
    "client_certificate": ("client.pem", Path("client.key")),
}


def mint_from_typed_settings(id_token: Optional[str]) -> None:
    for settings in (AUTH0, WITH_A_KEY, WITH_FILES):
        actor = resolve_actor_token(**settings, id_token=id_token)
        request_session_transfer_token(
            **settings,
            subject_token="signed",
            subject_token_type="urn:acme:customer",
            actor_token=actor.actor_token,
            actor_token_type=actor.actor_token_type,
            session=requests.Session(),
            timeout=5,
        )


def leave(domain: str) -> str:
    seconds: int = DELEGATED_SESSION_LIFETIME
    print(seconds)
    return build_logout_url(domain, client_id="shop", return_to="https://a.example/")


def hand_over(result: SessionTransferTokenResult) -> str:
    assert result.issued_token_type == SESSION_TRANSFER_TOKEN_TYPE
    for name, value in REDIRECT_HEADERS.items():
        print(name.lower(), value.lower())
    build_session_transfer_redirect("https://shop.example.com/login", result, "org_1")
    return build_session_transfer_redirect(
        "https://shop.example.com/login", result, allowed_hosts=["shop.example.com"]
    )


def enter(query: Dict[str, str], claims: Dict[str, Any]) -> Optional[str]:
    parameters: Dict[str, str] = session_transfer_params(query)
    actor: Optional[Actor] = actor_from_claims(claims)
    print(parameters, auth0_stt.__version__.split("."))
    return None if actor is None else actor.sub


def handle(error: SessionTransferError) -> None:
    code: str = error.code
    message: str = error.message
    retryable: bool = error.retryable
    hint: Optional[str] = error.hint
    seconds: Optional[float] = error.retry_after
    print(code, message, retryable, hint, seconds)
    if isinstance(error, InvalidArgumentError):
        argument: str = error.argument
        as_value_error: ValueError = error
        print(argument, as_value_error)
    elif isinstance(error, TransportError):
        sent: bool = error.sent
        print(sent, error.code is TransportErrorCode.TIMEOUT, error.code == "timeout")
    elif isinstance(error, CustomTokenExchangeError):
        word: Optional[str] = error.error
        description: Optional[str] = error.error_description
        status: Optional[int] = error.status_code
        wait: Optional[float] = error.retry_after
        request_id: Optional[str] = error.request_id
        print(word, description, status, wait, request_id)
        print(error.code is CustomTokenExchangeErrorCode.INVALID_GRANT)


def wrong(result: SessionTransferTokenResult, error: CustomTokenExchangeError) -> None:
    request_session_transfer_token()  # type: ignore[call-arg]
    request_session_transfer_token("acme.eu.auth0.com", "console")  # type: ignore[call-arg]
    request_session_transfer_token("acme.eu.auth0.com", client_id=7, **SETTINGS)  # type: ignore[arg-type]
    request_session_transfer_token("acme.eu.auth0.com", secret="", **SETTINGS)  # type: ignore[call-arg]
    build_session_transfer_redirect("https://shop.example.com/login", "token")  # type: ignore[arg-type]
    build_session_transfer_redirect(result, "https://shop.example.com/login")  # type: ignore[arg-type]
    result.session_transfer_token = "another"  # type: ignore[misc]
    print(result.access_token)  # type: ignore[attr-defined]
    url: bytes = build_session_transfer_redirect("https://shop.example.com", result)  # type: ignore[assignment]
    actor_from_claims({}).sub  # type: ignore[union-attr]
    private_key_jwt("console", None)  # type: ignore[arg-type]
    missing: ClientSettings = {"domain": "acme.eu.auth0.com"}  # type: ignore[typeddict-item]
    print(missing, error.argument)  # type: ignore[attr-defined]
    print(url, CustomTokenExchangeErrorCode.NO_SUCH_CODE)  # type: ignore[attr-defined]
