"""The custom token exchange: from subject and actor to a session transfer token (RFC 8693)."""

import secrets
import traceback
from typing import TYPE_CHECKING, Any, Collection, Dict, List, Optional, Tuple

from authlib.oauth2.rfc6749.errors import InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from flask import g, request
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
)

from .action import Api, Event, Refusal, Request, Transaction
from .clients import AUTH_METHODS
from .records import Session, SessionTransferToken, find_organization, parse_ip
from .settings import Settings
from .signing import verified

if TYPE_CHECKING:
    from .tenant import LocalTenant

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


def form_without(names: Collection[str]) -> Dict[str, Any]:
    """Return the form of the current request as Auth0 has it: a field that is repeated as a list."""
    fields = {
        name: values for name, values in request.form.lists() if name not in names
    }
    return {
        name: values if len(values) > 1 else values[0]
        for name, values in fields.items()
    }


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """Runs the Action, then issues what it allowed."""

    GRANT_TYPE: str = TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    @property
    def tenant(self) -> "LocalTenant":
        tenant: LocalTenant = self.server.tenant
        return tenant

    def validate_token_request(self) -> None:
        form = self.request.form
        self.request.client = self.authenticate_token_endpoint_client()
        profiles = self.client.setting("token_exchange.allow_any_profile_of_type") or []
        if "custom_authentication" not in profiles:
            raise UnauthorizedClientError(
                "The client may not use custom token exchange profiles."
            )
        for name in ("subject_token", "subject_token_type"):
            if not form.get(name):
                raise InvalidRequestError(f"Missing required parameter: {name}")
        if bool(form.get("actor_token")) != bool(form.get("actor_token_type")):
            raise InvalidRequestError("actor_token and actor_token_type go together.")
        if form["subject_token_type"] not in self.tenant.token_exchange_profiles:
            raise InvalidRequestError(
                "No token exchange profile has this subject_token_type."
            )

    def create_token_response(self) -> Tuple[int, Dict[str, Any], Any]:
        tenant, form, now = self.tenant, self.request.form, self.tenant.clock()
        ip, ip_remark = self._ip()
        if tenant.records.subject_tokens.left(ip, now) < 1:
            raise Refusal("too_many_attempts", SUSPICIOUS, 429)

        actor = self._actor()
        audience = form.get("audience")
        wants_session = audience == f"urn:{tenant.host()}:session_transfer"
        if audience and not wants_session and audience not in tenant.resource_servers:
            raise Refusal("invalid_target", f"Service not found: {audience}")
        if wants_session and not self.client.setting(
            "session_transfer.can_create_session_transfer_token"
        ):
            raise InvalidRequestError(
                "Session transfer is not enabled for this client."
            )
        organization = self._organization()

        api = self._run_action(self._event(ip, actor, organization))
        if api.subject_token_rejected:
            tenant.records.subject_tokens.spend(ip, now)
        if api.refusal is not None:
            raise api.refusal
        if tenant.active_user(api.user_id or "") is None:
            raise InvalidRequestError(
                "The Action set no user, or one that is unknown or blocked."
            )
        g.user_id = api.user_id
        if form.get("actor_token") and tenant.wants_mfa():
            raise Refusal("mfa_required", MFA_NOT_SUPPORTED)
        if organization is not None and api.user_id not in organization["members"]:
            raise Refusal(
                "access_denied", "The user is not a member of the organization."
            )

        # A delegated session gets no refresh token.
        requested = [
            word for word in form.get("scope", "").split() if word != "offline_access"
        ]
        scope = " ".join(requested)
        profile = tenant.token_exchange_profiles[form["subject_token_type"]]
        if not (wants_session and profile["session_transfer"]):
            session = Session(
                id=secrets.token_urlsafe(),
                user_id=str(api.user_id),
                issuer=tenant.issuer(),
                started=now,
                expires_at=now,
                actor=api.actor,
                org_id=organization["id"] if organization else None,
            )
            answer = self._access_token(
                session, scope, None if wants_session else audience
            )
            return 200, answer, self.TOKEN_RESPONSE_HEADER
        if api.actor is None:
            raise InvalidRequestError(SET_ACTOR_REQUIRED)

        token = secrets.token_urlsafe(32)
        tenant.records.session_transfer_tokens[token] = SessionTransferToken(
            user_id=str(api.user_id),
            actor=api.actor,
            ip=ip,
            ip_remark=ip_remark,
            expires_at=now + SESSION_TRANSFER_TOKEN_LIFETIME,
        )
        answer = {
            "access_token": token,
            "issued_token_type": SESSION_TRANSFER_TOKEN_TYPE,
            # Not a bearer token (RFC 8693, 2.2.1).
            "token_type": "N_A",
            "expires_in": SESSION_TRANSFER_TOKEN_LIFETIME,
        }
        if scope:
            answer["scope"] = scope
        return 200, answer, self.TOKEN_RESPONSE_HEADER

    def _access_token(
        self, session: Session, scope: str, audience: Optional[str]
    ) -> Any:
        g.audience = audience
        answer = self.server.generate_token(
            self.GRANT_TYPE,
            self.client,
            user=session,
            scope=scope,
            include_refresh_token=False,
        )
        answer["issued_token_type"] = ACCESS_TOKEN_TYPE
        return answer

    def _ip(self) -> Tuple[str, str]:
        """Return the address the token is bound to, and a remark where the header went unheard."""
        own = self.tenant.address()
        header = request.headers.get("auth0-forwarded-for")
        if header is None:
            return own, ""
        if not self.client.setting("is_token_endpoint_ip_header_trusted"):
            return (
                own,
                "auth0-forwarded-for was ignored: is_token_endpoint_ip_header_trusted is off",
            )
        if not self.request.auth_method.startswith("client_secret"):
            return (
                own,
                "auth0-forwarded-for was ignored: no client secret authenticated the call",
            )
        forwarded = parse_ip(header)
        if forwarded is None:
            return own, "auth0-forwarded-for was ignored: it is not one IP address"
        return forwarded, ""

    def _actor(self) -> Optional[Settings]:
        """Return the user of an ID token given as actor token; other types are the Action's."""
        form = self.request.form
        if form.get("actor_token_type") != ID_TOKEN_TYPE:
            return None
        try:
            claims = verified(
                form["actor_token"],
                self.tenant.clock(),
                iss={"essential": True, "values": self.tenant.issuers()},
                aud={"essential": True, "value": self.client.client_id},
            )
        except (JoseError, ValueError) as error:
            raise Refusal(
                "invalid_request", "Invalid actor token: " + _complaint(error)
            ) from None
        actor = self.tenant.active_user(claims["sub"])
        if actor is None:
            raise InvalidRequestError(
                "Invalid actor token: the user is unknown or blocked"
            )
        return actor

    def _organization(self) -> Optional[Settings]:
        name = self.request.form.get("organization")
        if not name:
            return None
        org_id = find_organization(self.tenant.organizations, name)
        if org_id is None:
            raise InvalidRequestError("parameter organization is invalid")
        return dict(self.tenant.organizations[org_id], id=org_id)

    def _event(
        self, ip: str, actor: Optional[Settings], organization: Optional[Settings]
    ) -> Event:
        form = self.request.form
        return Event(
            client={
                "client_id": self.client.client_id,
                "name": self.client.setting("name"),
            },
            request=Request(
                ip=ip,
                hostname=request.host,
                method=request.method,
                user_agent=request.headers.get("User-Agent", ""),
                body=form_without(CREDENTIALS),
            ),
            transaction=Transaction(
                subject_token=form["subject_token"],
                subject_token_type=form["subject_token_type"],
                actor_token=form.get("actor_token"),
                actor_token_type=form.get("actor_token_type"),
                actor=actor and {"sub": actor["user_id"], **_without_password(actor)},
                requested_scopes=form.get("scope", "").split(),
            ),
            organization=organization,
            resource_server={"id": form.get("audience")},
        )

    def _run_action(self, event: Event) -> Api:
        api = Api()
        try:
            self.tenant.action(event, api)
        except Exception as error:
            g.traceback = traceback.format_exc()
            text = f"The Action raised {type(error).__name__}: {error}"
            raise Refusal("server_error", text, 500) from None
        return api


def _without_password(user: Settings) -> Settings:
    return {name: value for name, value in user.items() if name != "password"}


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
