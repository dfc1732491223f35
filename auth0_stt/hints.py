"""What a person can change if something fails: one sentence for each code.

A description may decide the hint, since tenants say much only there; never the code.
"""

from typing import Optional

#: Parts of a description, in lower case without underscores. The first match wins.
_BY_DESCRIPTION = {
    "setactor is required": "setactor_required",
    "session transfer is not enabled": "session_transfer_disabled",
    "mfa is not supported": "mfa_required",
    "suspicious login behavior": "too_many_attempts",
    "'exp' claim": "expired",
    "invalid actor token: the user": "blocked_actor",
    "invalid actor token": "invalid_actor",
    "unknown or blocked": "blocked_subject",
    "subject token type": "unknown_profile",
    "subject token": "refused_subject",
}

_HINTS = {
    "actor_unavailable": "Let the agent sign in to the console again.",
    "missing_actor_token_type": "Pass actor_token_type=ID_TOKEN_TYPE for an ID token.",
    "invalid_token_format": "Pass the bare token: no prefix and no white space.",
    "setactor_required": "The tenant's Action must call api.authentication.setActor().",
    "session_transfer_disabled": "Check the plan, and that this application has "
    "session_transfer.can_create_session_transfer_token set to true.",
    "invalid_client": "Check client_id, the client secret or key, and which method of "
    "authentication the application's settings in the tenant ask for.",
    "invalid_grant": "Check the subject token, and that no token has expired.",
    "unauthorized_client": "Check that this application is first-party, and that its "
    'token_exchange.allow_any_profile_of_type contains "custom_authentication".',
    "unsupported_grant_type": "Allow the grant type in the application's settings.",
    "invalid_scope": "Ask only for scopes that the tenant knows.",
    "invalid_target": "Check domain, and that the tenant has Session Delegation.",
    "access_denied": "The tenant's Action refused: the tenant's log (fecte) says why.",
    "mfa_required": "Exempt this exchange from multi-factor authentication in the "
    "tenant, and let the agent sign in again if a renewal asks for it.",
    "too_many_attempts": "Pass forwarded_for and switch on Trust Token Endpoint IP "
    "Header for the application, so that agents don't share one count of bad tokens.",
    "too_many_requests": "Wait: the tenant's rate limit is used up.",
    "unexpected_token_type": "Check domain, and that no mock or proxy answers.",
    "invalid_response": "Check domain, and that no proxy answers in its place.",
    "timeout": "Raise timeout, or look at the network between here and the tenant.",
    "tls": "Check domain, this machine's clock, and REQUESTS_CA_BUNDLE.",
    "unreachable": "Check domain, name resolution and the proxy settings.",
    # What only a description says.
    "expired": "The agent's ID token has expired: call resolve_actor_token() first.",
    "blocked_actor": "Check that the agent's user exists and is not blocked.",
    "invalid_actor": "Pass an ID token, not an access token, from the agent's sign-in "
    "to this very application, or let them sign in again if the keys have changed.",
    "blocked_subject": "Check the subject token's user id, and that it may sign in.",
    "unknown_profile": "Check subject_token_type against the token exchange profiles.",
    "refused_subject": "Check how the subject token is signed, and its claims.",
}


def hint_for(code: str, description: Optional[str] = None) -> Optional[str]:
    """Return the sentence for a code and the server's words, or None."""
    words = (description or "").lower().replace("_", " ")
    keys = (key for part, key in _BY_DESCRIPTION.items() if part in words)
    return _HINTS.get(next(keys, code))
