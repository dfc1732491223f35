"""The custom token exchange: from subject and actor to a session transfer token (RFC 8693)."""

import secrets
import traceback
from typing import Any, Collection, Dict, Mapping, Optional, Tuple

from attr import attrs
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
)

from .action import Api, Event, Request, Transaction
from .clients import Client
from .origin import Origin, parse_ip
from .records import Facts, Session, SessionTransferToken, find_organization
from .refusal import Refusal
from .settings import Settings
from .state import State
from .tokens import ACCESS_TOKEN_LIFETIME, access_token, verified

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"
SESSION_TRANSFER_TOKEN_TYPE = "urn:auth0:params:oauth:token-type:session_transfer_token"
SESSION_TRANSFER_TOKEN_LIFETIME = 60
CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")

MFA_NOT_SUPPORTED = (
    "MFA is not supported using actor_token with the requested token exchange profile."
)
SET_ACTOR_REQUIRED = (
    "setActor is required when requesting a session transfer token via token exchange."
)
SUSPICIOUS = (
    "We have detected suspicious login behavior and further attempts will be blocked. "
    "Please contact the administrator."
)


@attrs(frozen=True, auto_attribs=True)
class Exchange:
    """One request for a custom token exchange, its client already authenticated.

    ``form`` has a list for a field that is repeated; ``facts`` is what the log will say.
    """

    state: State
    origin: Origin
    client: Client
    auth_method: str
    form: Mapping[str, Any]
    facts: Facts

    def answer(self) -> Dict[str, Any]:
        """Run the Action and return the answer of the token endpoint.

        Raises:
            Refusal: one of the rules says no.
        """
        self._check_profile()
        ip, ip_remark = self._ip()
        now, budget = self.state.clock(), self.state.records.subject_tokens
        if budget.left(ip, now) < 1:
            raise Refusal("too_many_attempts", SUSPICIOUS, 429)
        actor = self._actor()
        audience = self.form.get("audience")
        wants_session = audience == f"urn:{self.origin.host}:session_transfer"
        self._check_audience(audience, wants_session)
        organization = self._organization()

        api = self._run_action(self._event(ip, actor, organization))
        if api.subject_token_rejected:
            budget.spend(ip, now)
        if api.refusal is not None:
            raise api.refusal
        self._check_user(api.user_id, organization)

        requested = self.form.get("scope", "").split()
        # A delegated session gets no refresh token.
        scope = " ".join(word for word in requested if word != "offline_access")
        profile = self.state.token_exchange_profiles[self.form["subject_token_type"]]
        if not (wants_session and profile["session_transfer"]):
            org_id = organization["id"] if organization else None
            return self._access_token(
                api, org_id, scope, None if wants_session else audience
            )
        if api.actor is None:
            raise Refusal("invalid_request", SET_ACTOR_REQUIRED)
        token = secrets.token_urlsafe(32)
        self.state.records.session_transfer_tokens[token] = SessionTransferToken(
            user_id=str(api.user_id),
            actor=api.actor,
            ip=ip,
            ip_remark=ip_remark,
            expires_at=now + SESSION_TRANSFER_TOKEN_LIFETIME,
        )
        # "N_A": the token is not a bearer token (RFC 8693, 2.2.1).
        lifetime = SESSION_TRANSFER_TOKEN_LIFETIME
        return _answer(token, SESSION_TRANSFER_TOKEN_TYPE, "N_A", lifetime, scope)

    def _check_profile(self) -> None:
        profiles = self.client.setting("token_exchange.allow_any_profile_of_type") or []
        if "custom_authentication" not in profiles:
            text = "The client may not use custom token exchange profiles."
            raise Refusal("unauthorized_client", text)
        for name in ("subject_token", "subject_token_type"):
            if not self.form.get(name):
                raise Refusal("invalid_request", f"Missing required parameter: {name}")
        if bool(self.form.get("actor_token")) != bool(
            self.form.get("actor_token_type")
        ):
            text = "actor_token and actor_token_type go together."
            raise Refusal("invalid_request", text)
        if self.form["subject_token_type"] not in self.state.token_exchange_profiles:
            text = "No token exchange profile has this subject_token_type."
            raise Refusal("invalid_request", text)

    def _check_audience(self, audience: Optional[str], wants_session: bool) -> None:
        if wants_session:
            setting = "session_transfer.can_create_session_transfer_token"
            if not self.client.setting(setting):
                text = "Session transfer is not enabled for this client."
                raise Refusal("invalid_request", text)
        elif audience and audience not in self.state.resource_servers:
            raise Refusal("invalid_target", f"Service not found: {audience}")

    def _check_user(
        self, user_id: Optional[str], organization: Optional[Settings]
    ) -> None:
        if self.state.active_user(user_id or "") is None:
            text = "The Action set no user, or one that is unknown or blocked."
            raise Refusal("invalid_request", text)
        self.facts.user_id = user_id
        if self.form.get("actor_token") and self.state.wants_mfa():
            raise Refusal("mfa_required", MFA_NOT_SUPPORTED)
        if organization is not None and user_id not in organization["members"]:
            text = "The user is not a member of the organization."
            raise Refusal("access_denied", text)

    def _access_token(
        self, api: Api, org_id: Optional[str], scope: str, audience: Optional[str]
    ) -> Dict[str, Any]:
        now = self.state.clock()
        session = Session(
            id=secrets.token_urlsafe(),
            user_id=str(api.user_id),
            issuer=self.origin.issuer,
            started=now,
            expires_at=now,
            actor=api.actor,
            org_id=org_id,
        )
        token = access_token(self.client.client_id, session, scope, audience, now)
        lifetime = ACCESS_TOKEN_LIFETIME
        return _answer(token, ACCESS_TOKEN_TYPE, "Bearer", lifetime, scope)

    def _ip(self) -> Tuple[str, str]:
        """Return the address the token is bound to, and a remark where the header went unheard."""
        own, header = self.origin.ip, self.origin.forwarded_for
        if header is None:
            return own, ""
        if not self.client.setting("is_token_endpoint_ip_header_trusted"):
            why = "is_token_endpoint_ip_header_trusted is off"
        elif not self.auth_method.startswith("client_secret"):
            why = "no client secret authenticated the call"
        elif parse_ip(header) is None:
            why = "it is not one IP address"
        else:
            return str(parse_ip(header)), ""
        return own, "auth0-forwarded-for was ignored: " + why

    def _actor(self) -> Optional[Settings]:
        """Return the user of an ID token given as actor token; other types are the Action's."""
        if self.form.get("actor_token_type") != ID_TOKEN_TYPE:
            return None
        try:
            claims = verified(
                self.form["actor_token"],
                self.state.clock(),
                iss={"essential": True, "values": self.state.issuers},
                aud={"essential": True, "value": self.client.client_id},
            )
        except (JoseError, ValueError) as error:
            text = "Invalid actor token: " + _complaint(error)
            raise Refusal("invalid_request", text) from None
        actor = self.state.active_user(claims["sub"])
        if actor is None:
            text = "Invalid actor token: the user is unknown or blocked"
            raise Refusal("invalid_request", text)
        return actor

    def _organization(self) -> Optional[Settings]:
        name = self.form.get("organization")
        if not name:
            return None
        org_id = find_organization(self.state.organizations, name)
        if org_id is None:
            raise Refusal("invalid_request", "parameter organization is invalid")
        return dict(self.state.organizations[org_id], id=org_id)

    def _event(
        self, ip: str, actor: Optional[Settings], organization: Optional[Settings]
    ) -> Event:
        form = self.form
        return Event(
            client={
                "client_id": self.client.client_id,
                "name": self.client.setting("name"),
            },
            request=Request(
                ip=ip,
                hostname=self.origin.host,
                method=self.origin.method,
                user_agent=self.origin.user_agent,
                body=without(CREDENTIALS, form),
            ),
            transaction=Transaction(
                subject_token=form["subject_token"],
                subject_token_type=form["subject_token_type"],
                actor_token=form.get("actor_token"),
                actor_token_type=form.get("actor_token_type"),
                actor=actor
                and {"sub": actor["user_id"], **without(["password"], actor)},
                requested_scopes=form.get("scope", "").split(),
            ),
            organization=organization,
            resource_server={"id": form.get("audience")},
        )

    def _run_action(self, event: Event) -> Api:
        api = Api()
        try:
            self.state.action(event, api)
        except Exception as error:
            self.facts.traceback = traceback.format_exc()
            text = f"The Action raised {type(error).__name__}: {error}"
            raise Refusal("server_error", text, 500) from None
        return api


def without(names: Collection[str], fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the fields that have other names."""
    return {name: value for name, value in fields.items() if name not in names}


def _answer(
    token: str, issued_type: str, token_type: str, expires_in: int, scope: str
) -> Dict[str, Any]:
    answer = {
        "access_token": token,
        "issued_token_type": issued_type,
        "token_type": token_type,
        "expires_in": expires_in,
        "scope": scope,
    }
    return {name: value for name, value in answer.items() if value != ""}


def _complaint(error: Exception) -> str:
    """Return what is wrong with an ID token, in the words that Auth0 uses."""
    if isinstance(error, ExpiredTokenError):
        return "'exp' claim timestamp check failed"
    if isinstance(error, MissingClaimError):
        return f"missing required '{error.claim}' claim"
    if isinstance(error, InvalidClaimError):
        return f"unexpected '{error.claim}' claim value"
    if isinstance(error, BadSignatureError):
        return "signature verification failed"
    return "it is no JWT signed with RS256 or PS256"
