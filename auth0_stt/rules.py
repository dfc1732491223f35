"""What has to be set up where for session delegation to work: one table, as data.

Four parts of the package read it, so that they say the same. The local tenant refuses
by these rules and names the one that failed. The playground's switches each break one.
The documentation prints the table. The doctor checks a real tenant against it.

The rules stand in the order of the flow: the console mints, the browser is sent to the
shop, the shop redeems, the agent leaves. Each one names its evidence: ``[doc]`` with
the page below https://auth0.com/docs/, ``[sdk]`` for what an Auth0 SDK or tool shows,
``[rfc]`` with the section, ``[assumed]`` where nothing is written.
"""

from typing import Any, Dict, Optional, Tuple

from attr import attrib, attrs

_SD = "[doc] authenticate/single-sign-on/session-delegation/"
_CONFIGURE = _SD + "configure-session-delegation"
_IMPLEMENT = _SD + "implement-session-delegation"
_BEHAVIOR = _SD + "session-delegation-behavior-and-monitoring"
_N2W = (
    "[doc] authenticate/single-sign-on/native-to-web/configure-implement-native-to-web"
)
_CTE = "[doc] authenticate/custom-token-exchange/"
_CTE_CONFIGURE = _CTE + "configure-custom-token-exchange"
_CTE_USE_CASES = _CTE + "cte-example-use-cases"
_CTE_ATTACKS = _CTE + "cte-attack-protection"
_FLOW = (
    "[doc] get-started/authentication-and-authorization-flow/token-exchange-flow/"
    "call-your-api-using-the-custom-token-exchange-flow"
)
_EVENT = (
    "[doc] actions/reference/custom-token-exchange/custom-token-exchange-event-object"
)
_API = "[doc] actions/reference/custom-token-exchange/custom-token-exchange-api-object"

_LOGIN_PAGE = "The agent sees the shop's login page, without an error."


@attrs(auto_attribs=True, frozen=True, slots=True)
class Rule:
    """One thing that has to be so, and what happens if it isn't.

    ``whose`` is ``"console"``, ``"shop"``, ``"tenant"``, ``"profile"``, ``"action"``,
    ``"connection"``, ``"organization"`` or ``"browser"``. ``setting`` is a dotted path
    under the names of Auth0's Management API, within the object that ``whose`` names;
    it is None if the matter is one of code or behaviour, which no setting shows.
    """

    id: str
    whose: str
    setting: Optional[str]
    #: What it must be, for people: a value, or a sentence if ``setting`` is None.
    expected: str
    #: What one sees if it is not so.
    symptom: str
    #: What corrects it, in one sentence.
    fix: str
    evidence: str
    #: What to set; if it is a tuple, the setting is a list that must hold all of these.
    value: Any = attrib(default=None, hash=False)
    #: If not empty, every value that will do.
    allowed: Tuple[Any, ...] = ()
    #: A value that breaks the rule, to try out what happens then.
    wrong: Any = attrib(default=None, hash=False)

    def holds(self, found: Any) -> bool:
        """Return whether a value found at ``setting`` is right.

        Only for rules with a ``value``: the others need more than one setting.
        """
        if self.allowed:
            return any(_same(each, found) for each in self.allowed)
        if isinstance(self.value, tuple):
            return isinstance(found, (list, tuple)) and set(self.value) <= {
                each for each in found if isinstance(each, str)
            }
        return _same(self.value, found)


def _same(expected: Any, found: Any) -> bool:
    return type(expected) is type(found) and bool(expected == found)


_TABLE = (
    # The console mints: the application and how it proves itself.
    Rule(
        "client-credentials",
        "console",
        None,
        "The console sends its own client secret, or an assertion that its key signed.",
        '401 "access_denied", "Unauthorized"; the library raises invalid_client.',
        "Copy the client id and secret from the console's application in Auth0 again.",
        "[sdk] issue threads on other grants; [rfc] 6749, 5.2 calls it invalid_client",
    ),
    Rule(
        "console-confidential",
        "console",
        "token_endpoint_auth_method",
        'any method but "none"',
        "The mint is refused: a public client can't get a session transfer token.",
        "Set token_endpoint_auth_method to "
        '"client_secret_post", and configure the client secret in the console.',
        _CONFIGURE,
        value="client_secret_post",
        allowed=("client_secret_post", "client_secret_basic", None),
        wrong="none",
    ),
    Rule(
        "console-app-type",
        "console",
        "app_type",
        '"regular_web" or "non_interactive"',
        "Auth0 ignores the auth0-forwarded-for header, so the token is bound to the "
        "server's address and the agent sees the login page.",
        'Set app_type of the console to "regular_web".',
        "[doc] get-started/authentication-and-authorization-flow/"
        "resource-owner-password-flow/avoid-common-issues-with-resource-owner-"
        "password-flow-and-attack-protection",
        value="regular_web",
        allowed=("regular_web", "non_interactive"),
        wrong="spa",
    ),
    Rule(
        "console-first-party",
        "console",
        "is_first_party",
        "true",
        "The mint is refused: only first-party applications may exchange tokens.",
        "Set is_first_party of the console to true.",
        _CTE_CONFIGURE,
        value=True,
        wrong=False,
    ),
    Rule(
        "console-oidc-conformant",
        "console",
        "oidc_conformant",
        "true",
        "The mint is refused: only OIDC-conformant applications may exchange tokens.",
        "Set oidc_conformant of the console to true.",
        _CTE_CONFIGURE,
        value=True,
        wrong=False,
    ),
    Rule(
        "console-may-exchange",
        "console",
        "token_exchange.allow_any_profile_of_type",
        'contains "custom_authentication"',
        "The mint is refused: the console may not use custom token exchange.",
        'Add "custom_authentication" to token_exchange.allow_any_profile_of_type of '
        "the console.",
        _CTE_CONFIGURE,
        value=("custom_authentication",),
        wrong=[],
    ),
    Rule(
        "plan",
        "tenant",
        None,
        "The tenant's plan includes session delegation: B2C Professional, B2B "
        "Professional or Enterprise.",
        "The mint is refused, and changing session_transfer answers 403.",
        "Ask Auth0 to enable session delegation for the tenant.",
        _SD.rstrip("/") + "; [sdk] Terraform provider: 403 from PATCH clients",
    ),
    Rule(
        "console-may-mint",
        "console",
        "session_transfer.can_create_session_transfer_token",
        "true",
        "The mint is refused: the console may not create session transfer tokens.",
        "Set session_transfer.can_create_session_transfer_token of the console to "
        "true.",
        _CONFIGURE,
        value=True,
        wrong=False,
    ),
    # The profile, which the type of the subject token picks.
    Rule(
        "profile-exists",
        "profile",
        "subject_token_type",
        "the subject_token_type that the console sends",
        'The mint is refused with "invalid_request": no profile has this type.',
        "Create a token exchange profile with the subject_token_type that the console "
        "sends, or correct the console's.",
        _CTE_CONFIGURE,
    ),
    Rule(
        "profile-type",
        "profile",
        "type",
        '"custom_authentication"',
        "The console may not use the profile, so the mint is refused.",
        "Delete the profile, whose type can't be changed, and create it again with "
        'type "custom_authentication", the same subject_token_type and the same '
        "action_id.",
        _CTE_CONFIGURE + "; [sdk] ManagementClient types",
        value="custom_authentication",
        wrong="on_behalf_of_token_exchange",
    ),
    Rule(
        "session-transfer-audience",
        "console",
        None,
        "The console asks for the audience urn:{domain}:session_transfer, with the "
        "domain that the request goes to.",
        "The answer is an access token, or no service of that name is found; the "
        "library raises unexpected_token_type and lets no access token into a URL.",
        "Pass the same domain that the agent signed in on, and no audience of your "
        "own: the library sends the right one.",
        _CTE_USE_CASES,
    ),
    # How often it may ask.
    Rule(
        "attempts-per-address",
        "tenant",
        "suspicious_ip_throttling.allowlist",
        "holds the console's own address, unless the console passes the agents'",
        '429 "too_many_attempts" after ten bad subject tokens from one address; one '
        "attempt comes back every ten minutes.",
        "Have the console pass the agent's address as forwarded_for, so that one "
        "agent's failures don't block the others.",
        _CTE_ATTACKS,
    ),
    Rule(
        "exchange-rate",
        "tenant",
        None,
        "The tenant exchanges at most 4 tokens a second (Professional plans) or 15 "
        "(Enterprise).",
        '429 "too_many_requests"; the library marks the error retryable.',
        "Mint on the agent's click only, and try again after retry_after seconds.",
        "[doc] troubleshoot/customer-support/operational-policies/rate-limit-policy/"
        "rate-limit-configurations/essentials-professional-b2b",
    ),
    Rule(
        "tenant-answers",
        "tenant",
        None,
        "The tenant answers.",
        "The library raises server_error, temporarily_unavailable or a TransportError.",
        "Try again after retry_after seconds if the error is retryable.",
        "[rfc] 6749, 4.1.2.1",
    ),
    # Who acts.
    Rule(
        "actor-token-fresh",
        "console",
        None,
        "The console passes an ID token that has not expired.",
        "400 \"Invalid actor token: 'exp' claim timestamp check failed\".",
        "Call resolve_actor_token() before each mint: it renews the agent's ID token "
        "in time.",
        _FLOW,
    ),
    Rule(
        "actor-token-own",
        "console",
        None,
        "The ID token is the one that the agent got by signing in to the console.",
        '400 "Invalid actor token", for its issuer or its audience.',
        "Pass the ID token of the agent's sign-in to this application, on this domain.",
        _FLOW,
    ),
    Rule(
        "id-token-algorithm",
        "console",
        "jwt_configuration.alg",
        '"RS256" or "PS256"',
        '400 "Invalid actor token": Auth0 can\'t verify what a client secret signed.',
        'Set jwt_configuration.alg of the console to "RS256".',
        _FLOW,
        value="RS256",
        allowed=("RS256", "PS256"),
        wrong="HS256",
    ),
    Rule(
        "console-refresh-grant",
        "console",
        "grant_types",
        'contains "refresh_token"',
        "The agent must sign in again whenever the ID token expires; the library "
        "raises actor_unavailable.",
        'Add "refresh_token" to grant_types of the console, and ask for '
        "offline_access when the agent signs in.",
        "[doc] secure/tokens/refresh-tokens",
        value=("refresh_token",),
        wrong=["authorization_code"],
    ),
    Rule(
        "actor-active",
        "tenant",
        None,
        "The agent is a user of the tenant and is not blocked.",
        '400 "Invalid actor token", for the user.',
        "Unblock the agent's user in Auth0.",
        _FLOW,
    ),
    # The Action decides.
    Rule(
        "action-trigger",
        "action",
        "supported_triggers",
        'contains {"id": "custom-token-exchange", "version": "v1"}',
        "The mint fails: the profile's Action can't run in a token exchange.",
        "Create a new Action with the trigger custom-token-exchange and the same code, "
        "dependencies and secrets, deploy it, and create the profile with its id.",
        _CTE_CONFIGURE,
        value=("custom-token-exchange",),
        wrong=["post-login"],
    ),
    Rule(
        "action-deployed",
        "action",
        "all_changes_deployed",
        "true",
        "The mint fails, or an older version of the Action decides.",
        "Deploy the Action.",
        _CTE_CONFIGURE,
        value=True,
        wrong=False,
    ),
    Rule(
        "action-checks-audience",
        "action",
        None,
        "The Action looks for :session_transfer at the end of "
        "event.resource_server.identifier.",
        "The rules for entering accounts also decide about ordinary exchanges, or the "
        "other way round.",
        "Check event.resource_server.identifier.endsWith(':session_transfer') in the "
        "Action.",
        _CTE_USE_CASES,
    ),
    Rule(
        "action-reads-actor",
        "action",
        None,
        "The Action reads event.transaction.actor_token_user, never "
        "event.transaction.actor.",
        "The Action denies every agent or throws: this trigger has no "
        "event.transaction.actor.",
        "Read event.transaction.actor_token_user.user_id in the Action.",
        _EVENT,
    ),
    Rule(
        "subject-token-accepted",
        "action",
        None,
        "The Action accepts the subject token: signature, lifetime and one use.",
        '400 "invalid_request" with the reason that the Action gave to '
        "rejectInvalidSubjectToken().",
        "Sign the subject token the way that the Action verifies it, with a key that "
        "it knows, just before the mint.",
        _API,
    ),
    Rule(
        "action-allows",
        "action",
        None,
        "The Action allows this agent to enter this customer's account.",
        "The error has the code and the reason that the Action gave to "
        "api.access.deny().",
        "Show the reason to the agent: who may enter whom is the Action's decision.",
        _API,
    ),
    Rule(
        "action-runs",
        "action",
        None,
        "The Action returns without throwing, within its time limit.",
        '500 "server_error"; the tenant\'s log has the message.',
        "Read the message in the tenant's log and correct the Action.",
        _API,
    ),
    Rule(
        "action-sets-user",
        "action",
        None,
        "The Action calls api.authentication.setUserById() or setUserByConnection().",
        'The mint is refused with "invalid_request": nobody\'s account was named.',
        "Call api.authentication.setUserById(user_id) in the Action.",
        _API,
    ),
    Rule(
        "action-sets-actor",
        "action",
        None,
        "The Action calls api.authentication.setActor().",
        '400 "setActor is required when requesting a session transfer token via token '
        'exchange."; the library raises setactor_required or invalid_request.',
        "Call api.authentication.setActor({sub: "
        "event.transaction.actor_token_user.user_id}) in the Action.",
        _API + "; [doc] authenticate/custom-token-exchange/cte-example-use-cases",
    ),
    Rule(
        "actor-shape",
        "action",
        None,
        "setActor() gets a sub and at most five more properties: strings, numbers or "
        "booleans, no actor within the actor.",
        "The mint is refused.",
        "Pass a flat object with sub and at most five more properties to setActor().",
        _BEHAVIOR + "; " + _API,
    ),
    # The customer.
    Rule(
        "customer-active",
        "tenant",
        None,
        "The user that the Action sets exists and is not blocked.",
        "The mint is refused.",
        "Check the user id that the Action sets, and unblock the user in Auth0.",
        "[assumed]",
    ),
    Rule(
        "console-connection",
        "connection",
        "enabled_clients",
        "holds the console: the customer's connection is enabled for it",
        "The mint or the redemption fails; Auth0 does not say how.",
        "Enable the customers' connection for the console too, not only for the shop.",
        _CONFIGURE + "; what one sees is [assumed]",
    ),
    Rule(
        "mfa",
        "tenant",
        "guardian_policies",
        "empty: MFA is not required of everyone",
        '400 "MFA is not supported using actor_token with the requested token exchange '
        'profile." at the mint, or "interaction_required" at the shop\'s callback.',
        "Ask for a second factor in a Post-Login Action that leaves out exchanges and "
        "sessions with an actor, and only then clear the MFA policy "
        "(guardian/policies).",
        _FLOW + "; " + _BEHAVIOR,
        value=[],
        wrong=["all-applications"],
    ),
    Rule(
        "organization-exists",
        "organization",
        None,
        "The organization that the console names exists.",
        'The mint is refused with "invalid_request" for its parameter organization.',
        "Pass the organization's id, or its name where the tenant allows names.",
        "[doc] manage-users/organizations/using-tokens",
    ),
    Rule(
        "organization-member",
        "organization",
        None,
        "The customer is a member of the organization.",
        "The mint is refused.",
        "Add the customer to the organization, or name the right one.",
        "[doc] manage-users/organizations/configure-organizations; the form is "
        "[assumed]",
    ),
    # What the token is bound to.
    Rule(
        "forwarded-address",
        "console",
        None,
        "The console passes the agent's own address as forwarded_for.",
        _LOGIN_PAGE + " The token is bound to the server's address.",
        "Pass the address that the agent's browser has on the internet as "
        "forwarded_for.",
        _IMPLEMENT,
    ),
    Rule(
        "forwarded-address-trusted",
        "console",
        "is_token_endpoint_ip_header_trusted",
        "true",
        _LOGIN_PAGE + " The token is bound to the server's address.",
        "Switch on Trust Token Endpoint IP Header: set "
        "is_token_endpoint_ip_header_trusted of the console to true.",
        _IMPLEMENT,
        value=True,
        wrong=False,
    ),
    Rule(
        "forwarded-address-method",
        "console",
        "token_endpoint_auth_method",
        '"client_secret_post" or "client_secret_basic"',
        _LOGIN_PAGE + " Auth0 believes the header only of a client that sends a "
        "secret.",
        "Authenticate the console with a client secret: set "
        'token_endpoint_auth_method to "client_secret_post".',
        "[sdk] Terraform provider, auth0_client",
        value="client_secret_post",
        allowed=("client_secret_post", "client_secret_basic"),
        wrong=None,
    ),
    # The browser is sent to the shop.
    Rule(
        "token-fresh",
        "browser",
        None,
        "The browser follows the redirect within 60 seconds.",
        _LOGIN_PAGE + ' The log says "Session Transfer Token not found or expired".',
        "Redirect at once: mint on the click, never ahead of it.",
        _N2W,
    ),
    Rule(
        "token-unused",
        "browser",
        None,
        "Nothing opens the link before the agent does.",
        _LOGIN_PAGE + ' The log says "Session Transfer Token not found or expired".',
        "Answer the agent's POST with the redirect: a link that a preview, a scanner "
        "or a prefetch can open is used up by it.",
        _N2W,
    ),
    Rule(
        "login-uri",
        "shop",
        "initiate_login_uri",
        "the https URL of the shop's login route, which the console redirects to",
        "The browser arrives at a page that does not start a login.",
        "Set initiate_login_uri of the shop to its login route, and redirect to that.",
        _IMPLEMENT,
    ),
    Rule(
        "login-route-passes-token",
        "shop",
        None,
        "The login route passes session_transfer_token and organization on to "
        "/authorize.",
        _LOGIN_PAGE,
        "Pass session_transfer_params(request.args) on to /authorize in the login "
        "route.",
        _IMPLEMENT,
    ),
    Rule(
        "login-route-ends",
        "shop",
        None,
        "After the login, the shop goes somewhere else than to its login route.",
        "The browser redirects forever, or the second round ends on an error page.",
        "Give the login a destination that is not the login route itself.",
        "[assumed]",
    ),
    Rule(
        "no-pushed-request",
        "shop",
        "require_pushed_authorization_requests",
        "false",
        "If the shop pushes its request (PAR), the agent sees the login page: a pushed "
        "request leaves the token behind. If it does not, but the setting requires it, "
        "the callback gets an error: pushed authorization requests are required.",
        "Set require_pushed_authorization_requests of the shop to false, and don't "
        "push a login that carries a token.",
        "[sdk] auth0-fastapi for the login page; [rfc] RFC 9126, 5 for the error",
        value=False,
        wrong=True,
    ),
    # The shop redeems.
    Rule(
        "shop-allows-delegation",
        "shop",
        "session_transfer.delegation.allow_delegated_access",
        "true",
        _LOGIN_PAGE,
        "Set session_transfer.delegation.allow_delegated_access of the shop to true; "
        "there is no switch for it in the Dashboard.",
        _CONFIGURE,
        value=True,
        wrong=False,
    ),
    Rule(
        "shop-accepts-query",
        "shop",
        "session_transfer.allowed_authentication_methods",
        'contains "query"',
        _LOGIN_PAGE,
        'Add "query" to session_transfer.allowed_authentication_methods of the shop.',
        _CONFIGURE,
        value=("query",),
        wrong=["cookie"],
    ),
    Rule(
        "device-binding",
        "shop",
        "session_transfer.delegation.enforce_device_binding",
        '"ip"',
        "Auth0 takes no other value; a delegated session is always bound to the "
        "address.",
        'Set session_transfer.delegation.enforce_device_binding of the shop to "ip".',
        _CONFIGURE,
        value="ip",
        wrong="asn",
    ),
    Rule(
        "code-flow",
        "shop",
        "grant_types",
        'contains "authorization_code"',
        "The shop gets an error at its callback: SAML, WS-Federation and the implicit "
        "flow can't take a delegated login.",
        'Use the authorization code flow: add "authorization_code" to grant_types of '
        "the shop.",
        _BEHAVIOR,
        value=("authorization_code",),
        wrong=["implicit"],
    ),
    Rule(
        "callback-registered",
        "shop",
        "callbacks",
        "holds the shop's callback URL",
        'An error page: "Callback URL mismatch".',
        "Add the shop's callback URL to its callbacks.",
        "[doc] get-started/applications/application-settings",
        wrong=[],
    ),
    Rule(
        "loopback-prompt",
        "shop",
        "skip_non_verifiable_callback_uri_confirmation_prompt",
        "true, if the callback is on localhost or 127.0.0.1",
        '"interaction_required" at the callback: Auth0 wants to ask whether the '
        "callback is the right one, and nobody can be asked.",
        "Set skip_non_verifiable_callback_uri_confirmation_prompt of the shop to true, "
        "or use a callback on http://app.localhost or https.",
        "[doc] secure/security-guidance/measures-against-app-impersonation; that it "
        "stops a delegated login is [assumed]",
        value=True,
        wrong=False,
    ),
    Rule(
        "no-reauthentication",
        "shop",
        None,
        "The login route asks for no fresh login: no prompt=login, no max_age that "
        "has passed.",
        'The agent sees the login page, or "interaction_required" at the callback.',
        "Leave prompt and max_age out of a login that carries a token.",
        "[rfc] OpenID Connect Core, 3.1.2.1; [assumed] for delegation",
    ),
    Rule(
        "no-open-session",
        "browser",
        None,
        "The browser has no session on the shop's domain, the previous delegated one "
        "included.",
        "An error page that asks to log out first.",
        "Log out at build_logout_url() before entering the next account.",
        _BEHAVIOR,
    ),
    Rule(
        "two-domains",
        "tenant",
        "custom_domains",
        "a custom domain for the shop; the console stays on the canonical one",
        "An error page that asks to log out: the agent's own sign-in to the console is "
        "a session on the shop's domain.",
        "Give the shop a custom domain and leave the console on the canonical one, or "
        "enter accounts in a private window.",
        _BEHAVIOR,
    ),
    Rule(
        "same-address",
        "browser",
        None,
        "The browser reaches Auth0 from the address that the token is bound to.",
        _LOGIN_PAGE + ' The log says "device binding validation failed due to IP/ASN '
        'mismatch".',
        "Find out which address the browser has at Auth0: a VPN, IPv6 next to IPv4 or "
        "a proxy in front of the console changes it.",
        _IMPLEMENT + "; " + _N2W,
    ),
    Rule(
        "shop-connection",
        "connection",
        "enabled_clients",
        "holds the shop: the customer's connection is enabled for it",
        "The redemption fails; Auth0 does not say how.",
        "Enable the customers' connection for the shop.",
        _CONFIGURE + "; what one sees is [assumed]",
    ),
    Rule(
        "same-organization",
        "browser",
        None,
        "The organization at the redemption is the one that the token was minted for.",
        _LOGIN_PAGE + ' The log says "organization mismatch detected".',
        "Pass the same organization to the mint and to the redirect.",
        _N2W,
    ),
    Rule(
        "shop-organization",
        "shop",
        "organization_usage",
        '"require" or "allow" with an organization, not "require" without one',
        "An error at the callback: there is no organization picker in a delegated "
        "login.",
        'Pass an organization if organization_usage of the shop is "require", and none '
        'if it is "deny".',
        _IMPLEMENT,
    ),
    Rule(
        "organization-connection",
        "organization",
        "enabled_connections",
        "holds the connection that the customer comes from",
        "The redemption fails.",
        "Enable the customers' connection in the organization.",
        _IMPLEMENT,
    ),
    Rule(
        "shop-first-party",
        "shop",
        "is_first_party",
        "true",
        '"interaction_required" at the callback: the customer would have to consent.',
        "Set is_first_party of the shop to true.",
        _BEHAVIOR,
        value=True,
        wrong=False,
    ),
    Rule(
        "api-skips-consent",
        "tenant",
        "resource_servers.skip_consent_for_verifiable_first_party_clients",
        "true, for the API that the shop asks for",
        '"interaction_required" at the callback: the customer would have to consent.',
        "Set skip_consent_for_verifiable_first_party_clients of the API to true.",
        _FLOW,
        value=True,
        wrong=False,
    ),
    Rule(
        "no-prompts",
        "tenant",
        None,
        "No Post-Login Action asks for a factor, an enrolment or a redirect in a "
        "delegated session.",
        '"interaction_required" at the callback.',
        "Return early from Post-Login Actions if event.session.actor is set.",
        _BEHAVIOR,
    ),
    # Inside, and out again.
    Rule(
        "no-refresh-token",
        "shop",
        None,
        "The shop works without a refresh token: offline_access is left out of a "
        "delegated session.",
        "The login works; code that insists on a refresh token fails afterwards.",
        "Don't ask for offline_access in a delegated login, and expect no refresh "
        "token after it.",
        _BEHAVIOR + "; one SDK example says that offline_access is refused",
    ),
    Rule(
        "session-capped",
        "shop",
        None,
        "The shop ends its own session of an agent after two hours, as Auth0 does.",
        "The agent stays in the account for as long as the shop's cookie lasts.",
        "Limit the shop's session to DELEGATED_SESSION_LIFETIME if the ID token has an "
        "actor.",
        _BEHAVIOR,
    ),
    Rule(
        "logout-url",
        "shop",
        "allowed_logout_urls",
        "holds the page that the logout returns to",
        "The logout ends on an error page, and the next account on one that asks to "
        "log out.",
        "Add to allowed_logout_urls of the shop the URL that its logout sends as "
        "returnTo.",
        "[doc] authenticate/login/logout/redirect-users-after-logout",
        wrong=[],
    ),
)

#: Every rule by its id, in the order of the flow.
RULES: Dict[str, Rule] = {each.id: each for each in _TABLE}
