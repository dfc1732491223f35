"""What a person can change where something fails: one sentence for each code.

Plain data, by the strings that the codes equal. A description may choose the hint,
since today's tenants say much only there; it never chooses the code.
"""

from typing import Optional

_SET_ACTOR = "The tenant's Action must call api.authentication.setActor()."

_DISABLED = (
    "Set session_transfer.can_create_session_transfer_token to true on this "
    "application, and check that the tenant's plan has Session Delegation."
)
_MFA = (
    "Multi-factor authentication is not possible here: exempt this exchange from it in "
    "the tenant, and let the agent sign in again if a renewal asks for it."
)
_FORWARD = (
    "Pass forwarded_for with the agent's address and switch on Trust Token Endpoint IP "
    "Header for the application, so that agents don't share one count of bad tokens."
)
_PROFILE = (
    "Check subject_token_type against the tenant's token exchange profiles: one of "
    "them must have exactly this URI."
)
_SUBJECT = (
    "The Action refused the subject token: check that it is signed as the Action "
    "expects, for this tenant, and has not expired."
)
_CLIENT = (
    "Check client_id and the client secret or key against the application's settings "
    "in the tenant, and that its authentication method is the one used here."
)
_EXCHANGE = (
    "Allow the exchange on this application: token_exchange.allow_any_profile_of_type "
    'must contain "custom_authentication".'
)

#: Words of a description, in lower case. The first that occur choose the hint.
_BY_DESCRIPTION = (
    ("setactor is required", _SET_ACTOR),
    ("session transfer is not enabled", _DISABLED),
    ("mfa is not supported", _MFA),
    ("suspicious login behavior", _FORWARD),
    (
        "'exp' claim",
        "The agent's ID token has expired: call resolve_actor_token() first.",
    ),
    (
        "invalid actor token: the user",
        "Check that the agent's user still exists in the tenant and is not blocked.",
    ),
    (
        "invalid actor token",
        "Pass the ID token from the agent's sign-in to this very application: no "
        "access token, no other application's. Let them sign in again if the keys have "
        "changed.",
    ),
    (
        "unknown or blocked",
        "Check the user id in the subject token, and that this user may sign in.",
    ),
    ("subject_token_type", _PROFILE),
    ("subject token", _SUBJECT),
    ("subject_token", _SUBJECT),
)

_BY_CODE = {
    "actor_unavailable": "Let the agent sign in to the console again.",
    "missing_actor_token_type": "Pass actor_token_type=ID_TOKEN_TYPE for an ID token.",
    "invalid_token_format": "Pass the bare token: no prefix and no white space.",
    "setactor_required": _SET_ACTOR,
    "session_transfer_disabled": _DISABLED,
    "invalid_client": _CLIENT,
    "invalid_grant": "Check the subject token, and that no token has expired.",
    "unauthorized_client": _EXCHANGE,
    "unsupported_grant_type": "Allow the grant type in the application's settings.",
    "invalid_scope": "Ask only for scopes that the tenant knows.",
    "invalid_target": "Check domain, and that the tenant has Session Delegation.",
    "access_denied": "The tenant's Action refused: the tenant's log (fecte) says why.",
    "mfa_required": _MFA,
    "too_many_attempts": _FORWARD,
    "too_many_requests": "Wait: the tenant's rate limit is used up.",
    "unexpected_token_type": (
        "Check domain, and that no mock or proxy answers: for this audience a tenant "
        "issues nothing but session transfer tokens."
    ),
    "invalid_response": "Check domain, and that no proxy answers in its place.",
    "timeout": "Raise timeout, or look at the network between here and the tenant.",
    "tls": "Check domain, this machine's clock, and REQUESTS_CA_BUNDLE.",
    "unreachable": "Check domain, name resolution and the proxy settings.",
}


def hint_for(code: str, description: Optional[str] = None) -> Optional[str]:
    """Return the sentence for a code and the server's words, or None."""
    words = (description or "").lower()
    for fragment, hint in _BY_DESCRIPTION:
        if fragment in words:
            return hint
    return _BY_CODE.get(code)
