"""The custom token exchange: subject and actor in, a token out (RFC 8693)."""

import secrets
import traceback
from typing import Any, Dict, Mapping, Optional, Tuple

from attr import attrs
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
)

from .action import DEEPEST_ACTOR, Api, BadActorError, Cache, Decision
from .clients import Client
from .event import UnknownNameError, exchange_event, without
from .issue import without_offline_access
from .origin import Origin, parse_ip
from .records import Facts, Session, SessionTransferToken
from .refusal import Refusal
from .settings import CONNECTION, Settings, user
from .state import State
from .tokens import ACCESS_TOKEN_LIFETIME, access_token, verified

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"
SESSION_TRANSFER_TOKEN_TYPE = "urn:auth0:params:oauth:token-type:session_transfer_token"
SESSION_TRANSFER_TOKEN_LIFETIME = 60
# [doc] custom-token-exchange/cte-attack-protection; the rate in milliseconds.
MOST_ATTEMPTS = 10
ATTEMPTS_RATE = 600_000
TRIGGER = "custom-token-exchange"

# [doc] authenticate/custom-token-exchange; the word beside it is [assumed].
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

    A repeated field of ``form`` is a list. ``facts`` is what the log will say.
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
        self._check_rate()
        self._check_client()
        profile = self._profile()
        self._check_audience()
        binding = self._ip()
        self.facts.ip = ip = binding[0]
        self._check_attempts(ip)
        actor = self._actor()
        organization = self._organization(self.form.get("organization"))
        self._check_action(profile)

        decision = self._decision(ip, actor, organization)
        if decision.organization is not None:
            organization = self._organization(decision.organization)
        subject = self._subject(decision, organization)

        if not self._wants_session:
            return self._access_token(subject, decision, organization)
        return self._session_transfer_token(subject, decision, organization, binding)

    def _session_transfer_token(
        self,
        subject: Settings,
        decision: Decision,
        organization: Optional[Settings],
        binding: Tuple[str, str, str],
    ) -> Dict[str, Any]:
        if decision.actor is None:
            rule = "action-sets-actor"
            raise Refusal("invalid_request", SET_ACTOR_REQUIRED, rule=rule)
        ip, ip_rule, ip_remark = binding
        token = secrets.token_urlsafe(32)
        self.state.records.session_transfer_tokens[token] = SessionTransferToken(
            user_id=subject["user_id"],
            actor=decision.actor,
            client_id=self.client.client_id,
            org_id=organization["id"] if organization else None,
            ip=ip,
            ip_rule=ip_rule,
            ip_remark=ip_remark,
            expires_at=self.state.clock() + SESSION_TRANSFER_TOKEN_LIFETIME,
        )
        # "N_A": the token is not a bearer token (RFC 8693, 2.2.1).
        lifetime = SESSION_TRANSFER_TOKEN_LIFETIME
        return self._answered(token, SESSION_TRANSFER_TOKEN_TYPE, "N_A", lifetime)

    @property
    def _wants_session(self) -> bool:
        """Whether to issue a session transfer token. Only the audience decides."""
        hosts = self.origin.host, self.origin.bare_host
        audiences = [f"urn:{host}:session_transfer" for host in hosts]
        return self.form.get("audience") in audiences

    def _check_rate(self) -> None:
        most, records = self.state.token_exchanges_per_second, self.state.records
        with records.lock:
            if most is None or records.exchanges.takes(most, self.state.clock()):
                return
        reset = int(self.state.clock()) + 1
        headers = {
            "x-ratelimit-limit": str(most),
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(reset),
        }
        text = "Global limit has been reached"
        raise Refusal("too_many_requests", text, 429, "exchange-rate", headers)

    def _check_client(self) -> None:
        wanted = {
            "is_first_party": "console-first-party",
            "oidc_conformant": "console-oidc-conformant",
        }
        for setting, rule in wanted.items():
            if self.client.setting(setting) is not True:
                text = f"Only for applications with {setting}."
                raise Refusal("unauthorized_client", text, rule=rule)
        types = self.client.setting("token_exchange.allow_any_profile_of_type") or []
        if "custom_authentication" not in types:
            text = "The client may not use custom token exchange profiles."
            raise Refusal("unauthorized_client", text, rule="console-may-exchange")

    def _profile(self) -> Settings:
        for name in ("subject_token", "subject_token_type"):
            if not self.form.get(name):
                raise Refusal("invalid_request", f"Missing required parameter: {name}")
        if bool(self.form.get("actor_token")) != bool(
            self.form.get("actor_token_type")
        ):
            text = "actor_token and actor_token_type go together."
            raise Refusal("invalid_request", text)
        profile = self._profile_of(self.form["subject_token_type"])
        if profile is None:
            text = "No token exchange profile has this subject_token_type."
            raise Refusal("invalid_request", text, rule="profile-exists")
        types = self.client.setting("token_exchange.allow_any_profile_of_type")
        if profile.get("type", "custom_authentication") not in types:
            text = "The client may not use this token exchange profile."
            raise Refusal("unauthorized_client", text, rule="profile-type")
        return profile

    def _profile_of(self, subject_token_type: str) -> Optional[Settings]:
        profile: Settings
        for key, profile in self.state.token_exchange_profiles.items():
            if profile.get("subject_token_type", key) == subject_token_type:
                return profile
        return None

    def _check_audience(self) -> None:
        audience = self.form.get("audience")
        if not self._wants_session:
            if audience and audience not in self.state.resource_servers:
                text = f"Service not found: {audience}"
                rule = "session-transfer-audience"
                raise Refusal("invalid_target", text, rule=rule)
            return
        if not self.state.delegation_available:
            text = "Session transfer is not available for this tenant."
            raise Refusal("invalid_request", text, rule="plan")
        if self.client.setting("token_endpoint_auth_method") == "none":
            text = "Public clients can't request a session transfer token."
            raise Refusal("unauthorized_client", text, rule="console-confidential")
        setting = "session_transfer.can_create_session_transfer_token"
        if self.client.setting(setting) is not True:
            text = "Session transfer is not enabled for this client."
            raise Refusal("invalid_request", text, rule="console-may-mint")

    def _ip(self) -> Tuple[str, str, str]:
        """Return the address to bind the token to, the deciding rule, and a remark."""
        own, header = self.origin.ip, self.origin.forwarded_for
        if header is None:
            return own, "forwarded-address", ""
        forwarded = parse_ip(header)
        app_type = self.client.setting("app_type")
        if self.client.setting("is_token_endpoint_ip_header_trusted") is not True:
            rule = "forwarded-address-trusted"
            why = "is_token_endpoint_ip_header_trusted is off"
        elif not self.auth_method.startswith("client_secret"):
            rule = "forwarded-address-method"
            why = "no client secret authenticated the call"
        elif app_type not in ("regular_web", "non_interactive"):
            rule, why = "console-app-type", f"the application's app_type is {app_type}"
        elif forwarded is None:
            rule, why = "forwarded-address", "it is not one IP address"
        else:
            return forwarded, "same-address", ""
        return own, rule, "auth0-forwarded-for was ignored: " + why

    def _check_attempts(self, ip: str) -> None:
        throttling = self.state.tenant_setting("suspicious_ip_throttling") or {}
        if not throttling.get("enabled") or ip in (throttling.get("allowlist") or []):
            return
        most, regained_every = self._attempts()
        budget, now = self.state.records.subject_tokens, self.state.clock()
        if budget.spent(ip, now, regained_every) > most - 1:
            rule = "attempts-per-address"
            raise Refusal("too_many_attempts", SUSPICIOUS, 429, rule)

    def _attempts(self) -> Tuple[int, float]:
        """Return how many bad subject tokens may come, and the seconds for one more."""
        path = "suspicious_ip_throttling.stage.pre-custom-token-exchange"
        stage = self.state.tenant_setting(path) or {}
        rate = stage.get("rate", ATTEMPTS_RATE)
        return stage.get("max_attempts", MOST_ATTEMPTS), rate / 1000

    def _actor(self) -> Optional[Settings]:
        """Return the user of an ID token. Other actor tokens are for the Action."""
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
            text, rule = _complaint(error)
            if self.client.setting("jwt_configuration.alg") == "HS256":
                rule = "id-token-algorithm"
            text = "Invalid actor token: " + text
            raise Refusal("invalid_request", text, rule=rule) from None
        actor = self.state.active_user(claims["sub"])
        if actor is None:
            text = "Invalid actor token: the user is unknown or blocked"
            raise Refusal("invalid_request", text, rule="actor-active")
        return actor

    def _organization(self, name: Optional[str]) -> Optional[Settings]:
        if not name:
            return None
        found = self.state.organization(name)
        if found is None:
            text, rule = "parameter organization is invalid", "organization-exists"
            raise Refusal("invalid_request", text, rule=rule)
        self.facts.organization_id = found["id"]
        return found

    def _check_action(self, profile: Settings) -> None:
        action = self.state.actions.get(profile.get("action_id") or "") or {}
        triggers = [each.get("id") for each in action.get("supported_triggers") or []]
        if action and TRIGGER not in triggers:
            text = "The Action of the profile is not one for custom token exchange."
            raise Refusal("server_error", text, 500, "action-trigger")
        if not action or not action.get("deployed_version"):
            text = "The profile has no Action that is deployed."
            raise Refusal("server_error", text, 500, "action-deployed")

    def _decision(
        self, ip: str, actor: Optional[Settings], organization: Optional[Settings]
    ) -> Decision:
        """Run the Action and return what it decided."""
        state, decision = self.state, Decision()
        issued = (
            SESSION_TRANSFER_TOKEN_TYPE if self._wants_session else ACCESS_TOKEN_TYPE
        )
        event = exchange_event(
            self.form,
            ip,
            self.form.get("requested_token_type") or issued,
            actor,
            organization,
            state.action_secrets,
            self.client,
            self.origin,
        )
        cache = Cache(state.records.action_cache, state.clock)
        deepest = 1 if self._wants_session else DEEPEST_ACTOR
        try:
            state.action(event, Api(decision, cache, deepest, state.deny_status))
        except Exception as error:
            raise self._failed(error) from None
        if decision.subject_token_rejected:
            budget = state.records.subject_tokens
            budget.spend(ip, state.clock(), *self._attempts())
        if decision.refusal is not None:
            raise decision.refusal
        return decision

    def _failed(self, error: Exception) -> Refusal:
        """Log that the Action raised, and return what the console is told."""
        name = type(error).__name__
        raised = {
            "name": name,
            "message": str(error),
            "code": "",
            "stack": traceback.format_exc(),
        }
        details = {
            "trigger_id": TRIGGER,
            "error_class": "action_error",
            "action_error": raised,
        }
        text = f"The Action raised {name}: {error}"
        client_id, log_type = self.client.client_id, "actions_execution_failed"
        self.state.log(log_type, text, self.origin, client_id, details=details)
        rule = "action-runs"
        if isinstance(error, BadActorError):
            rule = "actor-shape"
        elif (
            isinstance(error, UnknownNameError)
            and "event.transaction has no 'actor'" in text
        ):
            rule = "action-reads-actor"
        return Refusal("server_error", text, 500, rule)

    def _subject(
        self, decision: Decision, organization: Optional[Settings]
    ) -> Settings:
        """Return the user whom the Action set, with the metadata that it set."""
        if decision.by_connection is not None:
            decision.user_id = self._user_by_connection(*decision.by_connection)
        if decision.user_id is None:
            text = "The Action set no user."
            raise Refusal("invalid_request", text, rule="action-sets-user")
        subject = self.state.active_user(decision.user_id)
        if subject is None:
            text = "The user that the Action set is unknown or blocked."
            raise Refusal("invalid_request", text, rule="customer-active")
        self.facts.user_id = decision.user_id
        self.facts.actor_sub = (decision.actor or {}).get("sub")
        if self.state.wants_mfa():
            if self.form.get("actor_token"):
                raise Refusal("mfa_required", MFA_NOT_SUPPORTED, rule="mfa")
            text = "Multifactor authentication required"
            raise Refusal("mfa_required", text, 403, "mfa")
        members = organization["members"] if organization else [subject["user_id"]]
        if subject["user_id"] not in members:
            text, rule = "The user is not a member of the organization.", None
            rule = "organization-member"
            raise Refusal("access_denied", text, rule=rule)
        for name in ("app_metadata", "user_metadata"):
            kept = {**(subject.get(name) or {}), **getattr(decision, name)}
            subject[name] = {key: kept[key] for key in kept if kept[key] is not None}
        return subject

    def _user_by_connection(
        self, connection: str, attributes: Mapping[str, Any], options: Mapping[str, Any]
    ) -> str:
        """Return the user id for setUserByConnection, and create or update the user."""
        found = self.state.connections.get(connection)
        if found is None:
            raise Refusal("invalid_request", f"The connection {connection} is unknown.")
        user_id = f"{found.get('strategy')}|{attributes['user_id']}"
        rest = without(["user_id", "verify_email"], attributes)
        if user_id not in self.state.users:
            if options["creationBehavior"] == "none":
                text = "The user that the Action set is unknown or blocked."
                raise Refusal("invalid_request", text, rule="customer-active")
            self.state.users[user_id] = {
                **user(user_id, attributes.get("email"), attributes.get("name")),
                **rest,
                "connection": connection or CONNECTION,
            }
        elif options["updateBehavior"] == "replace":
            self.state.users[user_id].update(rest)
        return user_id

    def _access_token(
        self, subject: Settings, decision: Decision, organization: Optional[Settings]
    ) -> Dict[str, Any]:
        org_name = None
        if organization and self.state.names_organizations:
            org_name = organization["name"]
        now, user_id = self.state.clock(), subject["user_id"]
        session: Session = self.state.new_session(
            user_id, self.origin.issuer, 0, decision.actor
        ).within(organization["id"] if organization else None, org_name)
        audience = self.form.get("audience")
        grant = self.client.client_id, session, self._scope, audience, now
        lifetime = ACCESS_TOKEN_LIFETIME
        return self._answered(
            access_token(*grant), ACCESS_TOKEN_TYPE, "Bearer", lifetime
        )

    @property
    def _scope(self) -> str:
        return without_offline_access(str(self.form.get("scope", "")))

    def _answered(
        self, token: str, issued_type: str, token_type: str, expires_in: int
    ) -> Dict[str, Any]:
        answer = {
            "access_token": token,
            "issued_token_type": issued_type,
            "token_type": token_type,
            "expires_in": expires_in,
        }
        return {**answer, "scope": self._scope} if self._scope else answer


def _complaint(error: Exception) -> Tuple[str, Optional[str]]:
    """Return what is wrong with an ID token, in Auth0's words, and the broken rule."""
    if isinstance(error, ExpiredTokenError):
        return "'exp' claim timestamp check failed", "actor-token-fresh"
    if isinstance(error, MissingClaimError):
        return f"missing required '{error.claim}' claim", "actor-token-own"
    if isinstance(error, InvalidClaimError):
        return f"unexpected '{error.claim}' claim value", "actor-token-own"
    if isinstance(error, BadSignatureError):
        return "signature verification failed", "actor-token-own"
    return "it is no JWT signed with RS256 or PS256", "actor-token-own"
