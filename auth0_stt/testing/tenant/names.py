"""The names that settings have in Auth0's Management API, and dicts that know them.

[sdk] Taken from the types of Auth0's own SDKs. A name that is not in here is a typing
error in a test, which on Auth0 would be a setting that was never set.
"""

import copy
import difflib
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple


def _names(text: str, **nested: Any) -> Dict[str, Any]:
    return {**dict.fromkeys(text.split()), **nested}


# "*": names of the tenant's own choice.
_CREDENTIALS = _names("", credentials=None)
CLIENT = _names(
    "client_id tenant name description global client_secret app_type logo_uri "
    "is_first_party oidc_conformant callbacks allowed_origins web_origins "
    "client_aliases allowed_clients allowed_logout_urls grant_types signing_keys sso "
    "sso_disabled cross_origin_authentication cross_origin_loc custom_login_page_on "
    "custom_login_page custom_login_page_preview form_template addons "
    "token_endpoint_auth_method is_token_endpoint_ip_header_trusted initiate_login_uri "
    "default_organization organization_usage organization_require_behavior "
    "organization_discovery_methods require_pushed_authorization_requests "
    "require_proof_of_possession compliance_level par_request_expiry token_quota "
    "skip_non_verifiable_callback_uri_confirmation_prompt resource_server_identifier "
    "async_approval_notification_channels",
    session_transfer=_names(
        "can_create_session_transfer_token enforce_cascade_revocation "
        "allowed_authentication_methods enforce_device_binding allow_refresh_token "
        "enforce_online_refresh_tokens",
        delegation=_names("allow_delegated_access enforce_device_binding"),
    ),
    token_exchange=_names("allow_any_profile_of_type"),
    jwt_configuration=_names("lifetime_in_seconds secret_encoded scopes alg"),
    refresh_token=_names(
        "rotation_type expiration_type leeway token_lifetime infinite_token_lifetime "
        "idle_token_lifetime infinite_idle_token_lifetime policies"
    ),
    client_authentication_methods=_names(
        "",
        private_key_jwt=_CREDENTIALS,
        tls_client_auth=_CREDENTIALS,
        self_signed_tls_client_auth=_CREDENTIALS,
    ),
    oidc_logout=_names(
        "backchannel_logout_urls backchannel_logout_initiators "
        "backchannel_logout_session_metadata"
    ),
    encryption_key=_names("pub cert subject"),
    signed_request_object=_names("required credentials"),
    client_metadata={"*": None},
    mobile={"*": None},
    native_social_login={"*": None},
)
TENANT = _names(
    "acr_values_supported allow_organization_name_in_authentication_api "
    "allowed_logout_urls authorization_response_iss_parameter_supported "
    "change_password customize_mfa_in_postlogin_action default_audience "
    "default_directory default_redirection_uri default_token_quota enabled_locales "
    "ephemeral_session_lifetime error_page friendly_name guardian_mfa_page "
    "idle_ephemeral_session_lifetime idle_session_lifetime "
    "idle_session_lifetime_in_minutes legacy_sandbox_version picture_url "
    "pushed_authorization_requests_supported resource_parameter_profile "
    "sandbox_version sandbox_versions_available session_lifetime "
    "session_lifetime_in_minutes skip_non_verifiable_callback_uri_confirmation_prompt "
    "support_email support_url universal_login",
    device_flow={"*": None},
    flags={"*": None},
    mtls=_names("enable_endpoint_aliases"),
    oidc_logout=_names("rp_logout_end_session_endpoint_discovery"),
    session_cookie=_names("mode"),
    sessions=_names("oidc_logout_prompt_enabled"),
    # The Management API has these at other paths: /guardian/policies,
    # /attack-protection/suspicious-ip-throttling and /custom-domains.
    guardian_policies=None,
    suspicious_ip_throttling=_names("enabled shields allowlist stage"),
    custom_domains=None,
)
USER = _names(
    "user_id email email_verified username phone_number phone_verified name given_name "
    "family_name nickname picture blocked password connection identities multifactor "
    "enrolledFactors last_password_reset created_at updated_at last_login last_ip "
    "logins_count verify_email",
    app_metadata={"*": None},
    user_metadata={"*": None},
)
ORGANIZATION = _names(
    "id name display_name token_quota",
    metadata={"*": None},
    branding={"*": None},
    # /organizations/{id}/members and /organizations/{id}/enabled_connections.
    members=None,
    enabled_connections=None,
)
CONNECTION = _names(
    "id name display_name strategy realms is_domain_connection show_as_button "
    "enabled_clients authentication connected_accounts provisioning_ticket_url",
    options={"*": None},
    metadata={"*": None},
)
PROFILE = _names("id name type subject_token_type action_id created_at updated_at")
RESOURCE_SERVER = _names(
    "id name is_system identifier scopes signing_alg signing_secret "
    "allow_offline_access allow_online_access token_lifetime "
    "skip_consent_for_verifiable_first_party_clients "
    "token_lifetime_for_web enforce_policies token_dialect token_encryption "
    "consent_policy authorization_details proof_of_possession "
    "subject_type_authorization client_id"
)
ACTION = _names(
    "id name supported_triggers all_changes_deployed created_at updated_at code "
    "dependencies runtime secrets deployed_version installed_integration_id "
    "integration "
    "status built_at deploy modules"
)


class Named(Dict[str, Any]):
    """A dict that refuses names that Auth0 lacks, and suggests the right one."""

    def __init__(
        self, schema: Mapping[str, Any], values: Mapping[str, Any], where: str = ""
    ) -> None:
        super().__init__()
        self._schema = schema
        self._where = where
        self.update(values)

    def __setitem__(self, name: str, value: Any) -> None:
        inner = self._inner(name)
        if inner is not None and isinstance(value, Mapping):
            value = Named(inner, value, f"{self._where}.{name}")
        super().__setitem__(name, value)

    def __missing__(self, name: str) -> Any:
        self._inner(name)
        raise KeyError(f"{self._where}.{name} is not set")

    def __delitem__(self, name: str) -> None:
        self._inner(name)
        super().__delitem__(name)

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *values: Any, **more: Any) -> None:
        for name, value in dict(*values, **more).items():
            self[name] = value

    def __ior__(self, values: Any) -> "Named":  # type: ignore[override,misc]
        self.update(values)
        return self

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Named":
        copied = {name: copy.deepcopy(value, memo) for name, value in self.items()}
        return Named(self._schema, copied, self._where)

    def copy(self) -> "Named":
        return Named(self._schema, self, self._where)

    def __reduce__(self) -> Any:
        return Named, (self._schema, dict(self), self._where)

    def has_names(self, name: str) -> bool:
        """Return whether a setting is an object, whose names Auth0 knows."""
        return self._inner(name) is not None

    def _inner(self, name: str) -> Optional[Mapping[str, Any]]:
        """Return the names below a name, None if Auth0 has a plain value there."""
        if name in self._schema or "*" in self._schema:
            inner: Optional[Mapping[str, Any]] = self._schema.get(name)
            if inner is None:
                inner = self._schema.get("*")
            return inner
        raise KeyError(self._complaint(name))

    def _complaint(self, name: str) -> str:
        said = f"Auth0 has no {name!r} in {self._where}"
        near = [".".join(path) for path in _homes(self._schema, name)]
        near += difflib.get_close_matches(str(name), self._schema, 1, 0.5)
        return f"{said}: did you mean {near[0]!r}?" if near else said


def _homes(schema: Mapping[str, Any], name: str) -> Iterator[Tuple[str, ...]]:
    """Yield where else among the settings a name is found."""
    for outer, inner in schema.items():
        if isinstance(inner, Mapping):
            if name in inner:
                yield outer, name
            yield from ((outer, *path) for path in _homes(inner, name))


def table(
    schema: Mapping[str, Any], values: Mapping[str, Mapping[str, Any]], where: str
) -> Named:
    """Return a dict of such dicts, by ids or names of the tenant's own choice."""
    return Named({"*": schema}, values, where)
