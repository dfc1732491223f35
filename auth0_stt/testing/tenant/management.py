"""The Management API, as far as it reads what session delegation rests on.

[sdk] Paths, scopes and shapes are those of the types of auth0-python and node-auth0;
the bodies of errors are those that these SDKs show in their issue threads.
"""

import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Pattern, Tuple

from attr import attrs
from joserfc.errors import ExpiredTokenError, JoseError

from .log_search import search
from .settings import Settings
from .state import State
from .tokens import sign, verified

LIFETIME = 86400
MOST_PER_PAGE = 100
DEFAULT_PER_PAGE = 50
# Only for those who may read keys.
CLIENT_SECRETS = ("client_secret", "signing_keys", "encryption_key")

Query = Mapping[str, str]


@attrs(auto_attribs=True, auto_exc=True, str=False)
class ApiError(Exception):
    """What the API answers instead of a document."""

    status: int
    error: str
    message: str
    code: Optional[str] = None

    def document(self) -> Dict[str, Any]:
        """Return the body."""
        body: Dict[str, Any] = {
            "statusCode": self.status,
            "error": self.error,
            "message": self.message,
        }
        return {**body, "errorCode": self.code} if self.code else body


def not_found(what: str, code: Optional[str] = None) -> ApiError:
    """Return the error for something that is not there."""
    return ApiError(404, "Not Found", f"The {what} does not exist.", code)


def management_token(state: State, scopes: List[str], lifetime: float) -> str:
    """Return an access token for the API with these scopes, for so many seconds."""
    now = int(state.clock())
    claims = {
        "iss": state.issuers[0],
        "sub": "management@clients",
        "aud": state.issuers[0] + "api/v2/",
        "iat": now,
        "exp": now + int(lifetime),
        "azp": "management",
        "gty": "client-credentials",
        "scope": " ".join(scopes),
    }
    return sign(claims)


def granted_scopes(state: State, authorization: str) -> List[str]:
    """Return the scopes of the access token in an Authorization header.

    Raises:
        ApiError: there is no valid token.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ApiError(401, "Unauthorized", "Missing authentication")
    audiences = [issuer + "api/v2/" for issuer in state.issuers]
    expected = {"essential": True, "values": audiences}
    try:
        claims = verified(token, state.clock(), aud=expected)
    except ExpiredTokenError:
        text = "Expired token received for JSON Web Token validation"
        raise ApiError(401, "Unauthorized", text) from None
    except (JoseError, ValueError):
        raise ApiError(401, "Unauthorized", "Invalid token") from None
    return str(claims.get("scope", "")).split()


def answer(
    state: State, method: str, path: str, query: Query, scopes: List[str]
) -> Any:
    """Return the document at a path below /api/v2/.

    Raises:
        ApiError: it is not there, or the scopes don't allow it.
    """
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is None:
            continue
        needed = route.scopes if method == "GET" else _writing(route.scopes, method)
        if not set(needed) & set(scopes):
            text = "Insufficient scope, expected any of: " + ",".join(needed)
            raise ApiError(403, "Forbidden", text, "insufficient_scope")
        if method != "GET":
            text = "The local tenant is only read through this API."
            raise ApiError(405, "Method Not Allowed", text)
        return route.read(state, query, scopes, *match.groups())
    raise ApiError(404, "Not Found", "Not Found")


def _writing(scopes: Tuple[str, ...], method: str) -> List[str]:
    verb = {"POST": "create", "DELETE": "delete"}.get(method, "update")
    return [scope.replace("read:", verb + ":") for scope in scopes]


def _fields(document: Mapping[str, Any], query: Query) -> Dict[str, Any]:
    """Return the fields that ``fields`` and ``include_fields`` ask for."""
    names = [name for name in query.get("fields", "").split(",") if name]
    if not names:
        return dict(document)
    wanted = query.get("include_fields", "true") != "false"
    return {name: document[name] for name in document if (name in names) == wanted}


def _number(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) > most:
        text = f"Query validation error: '{name}' must be from 0 to {most}."
        raise ApiError(400, "Bad Request", text, "invalid_query_string")
    return int(text)


def _listed(items: List[Dict[str, Any]], key: str, query: Query) -> Any:
    """Return a list of documents, in the envelope that the paging asked for has."""
    if "from" in query or "take" in query:
        return _checkpoint(items, key, query)
    page = _number(query, "page", 0, 10**6)
    per_page = _number(query, "per_page", DEFAULT_PER_PAGE, MOST_PER_PAGE)
    found = items[page * per_page : (page + 1) * per_page]
    if query.get("include_totals") != "true":
        return found
    start, total = page * per_page, len(items)
    return {key: found, "start": start, "limit": per_page, "total": total}


def _checkpoint(items: List[Dict[str, Any]], key: str, query: Query) -> Dict[str, Any]:
    """Return a page of checkpoint paging, with ``next`` if there is another."""
    start = _number({"from": query.get("from") or "0"}, "from", 0, len(items))
    take = _number(query, "take", DEFAULT_PER_PAGE, MOST_PER_PAGE)
    page: Dict[str, Any] = {key: items[start : start + take]}
    if start + take < len(items):
        page["next"] = str(start + take)
    return page


def _client(client: Settings, query: Query, scopes: List[str]) -> Dict[str, Any]:
    hidden = () if "read:client_keys" in scopes else CLIENT_SECRETS
    known = {name: value for name, value in client.items() if name not in hidden}
    return _fields({"global": False, **known}, query)


def _client_settings(state: State, client_id: str) -> Settings:
    client = state.client(client_id)
    if client is None:
        raise not_found("client", "inexistent_client")
    return client.settings


def read_client(
    state: State, query: Query, scopes: List[str], client_id: str
) -> Dict[str, Any]:
    return _client(_client_settings(state, client_id), query, scopes)


def read_clients(state: State, query: Query, scopes: List[str]) -> Any:
    found = []
    for client_id, client in state.settings.items():
        if client_id != "tenant":
            # [sdk] The list shows session_transfer empty, whatever is set.
            shown = {**client, "session_transfer": {}}
            found.append(_client(shown, query, scopes))
    return _listed(found, "clients", query)


def read_client_connections(
    state: State, query: Query, scopes: List[str], client_id: str
) -> Dict[str, Any]:
    _client_settings(state, client_id)
    found = [
        {name: connection.get(name) for name in ("id", "name", "strategy")}
        for connection in state.connections.values()
        if client_id in (connection.get("enabled_clients") or [])
    ]
    return _checkpoint(found, "connections", query)


def read_connections(state: State, query: Query, scopes: List[str]) -> Any:
    found = [
        _fields(connection, query)
        for connection in state.connections.values()
        if query.get("name") in (None, connection.get("name"))
        and query.get("strategy") in (None, connection.get("strategy"))
    ]
    return _listed(found, "connections", query)


def read_profiles(state: State, query: Query, scopes: List[str]) -> Dict[str, Any]:
    found = [dict(profile) for profile in state.token_exchange_profiles.values()]
    return _checkpoint(found, "token_exchange_profiles", query)


def read_profile(
    state: State, query: Query, scopes: List[str], profile_id: str
) -> Dict[str, Any]:
    for profile in state.token_exchange_profiles.values():
        if profile.get("id") == profile_id:
            return dict(profile)
    raise not_found("token exchange profile")


def read_action(
    state: State, query: Query, scopes: List[str], action_id: str
) -> Dict[str, Any]:
    action = state.actions.get(action_id)
    if action is None:
        raise not_found("action")
    return _action(state, action)


def _action(state: State, action: Settings) -> Dict[str, Any]:
    """Return the document of an Action, with the names of its secrets."""
    names = [{"name": name} for name in state.action_secrets]
    return {**action, "secrets": [*(action.get("secrets") or []), *names]}


def read_actions(state: State, query: Query, scopes: List[str]) -> Any:
    found = [
        _action(state, action)
        for action in state.actions.values()
        if query.get("triggerId")
        in (None, *(each.get("id") for each in action.get("supported_triggers") or []))
    ]
    page = _number(query, "page", 0, 10**6)
    per_page = _number(query, "per_page", DEFAULT_PER_PAGE, MOST_PER_PAGE)
    shown = found[page * per_page : (page + 1) * per_page]
    totals = {"total": len(found), "page": page, "per_page": per_page}
    return {"actions": shown, **totals}


def read_custom_domains(state: State, query: Query, scopes: List[str]) -> Any:
    found = [_fields(domain, query) for domain in state.custom_domains]
    return _checkpoint(found, "custom_domains", query) if "take" in query else found


def read_tenant(state: State, query: Query, scopes: List[str]) -> Dict[str, Any]:
    apart = ("guardian_policies", "suspicious_ip_throttling", "custom_domains")
    settings = state.settings["tenant"]
    shown = {name: settings[name] for name in settings if name not in apart}
    return _fields(shown, query)


def read_policies(state: State, query: Query, scopes: List[str]) -> Any:
    return list(state.tenant_setting("guardian_policies") or [])


def read_throttling(state: State, query: Query, scopes: List[str]) -> Dict[str, Any]:
    return dict(state.tenant_setting("suspicious_ip_throttling") or {})


def _organization(organization: Settings) -> Dict[str, Any]:
    apart = ("members", "enabled_connections")
    return {name: value for name, value in organization.items() if name not in apart}


def read_organization(
    state: State, query: Query, scopes: List[str], org_id: str
) -> Dict[str, Any]:
    if org_id not in state.organizations:
        raise not_found("organization")
    return _organization({**state.organizations[org_id], "id": org_id})


def read_organization_by_name(
    state: State, query: Query, scopes: List[str], name: str
) -> Dict[str, Any]:
    for org_id, organization in state.organizations.items():
        if organization.get("name") == name:
            return _organization({**organization, "id": org_id})
    raise not_found("organization")


def read_enabled_connections(
    state: State, query: Query, scopes: List[str], org_id: str
) -> Any:
    if org_id not in state.organizations:
        raise not_found("organization")
    enabled = state.organizations[org_id].get("enabled_connections") or []
    found = [
        {
            "connection_id": connection.get("id"),
            "assign_membership_on_login": False,
            "show_as_button": True,
            "connection": {
                "name": connection.get("name"),
                "strategy": connection.get("strategy"),
            },
        }
        for connection in state.connections.values()
        if connection.get("id") in enabled
    ]
    return _listed(found, "enabled_connections", query)


def read_resource_servers(state: State, query: Query, scopes: List[str]) -> Any:
    found = [dict(api) for api in state.resource_servers.values()]
    return _listed(found, "resource_servers", query)


def read_logs(state: State, query: Query, scopes: List[str]) -> Any:
    logs = [{"_id": log.log_id, **log} for log in state.records.logs]
    if "from" in query or "take" in query:
        take = _number(query, "take", DEFAULT_PER_PAGE, MOST_PER_PAGE)
        after = [log for log in logs if log["log_id"] > query.get("from", "")]
        return [_fields(log, query) for log in after[:take]]
    if query.get("sort", "date:-1").endswith("-1"):
        logs.reverse()
    found = [log for log in logs if search(query.get("q", ""), log)]
    return _listed([_fields(log, query) for log in found], "logs", query)


@attrs(frozen=True, auto_attribs=True)
class Route:
    """A path, the scopes of which one is needed, and who reads it."""

    pattern: Pattern[str]
    scopes: Tuple[str, ...]
    read: Callable[..., Any]


def _route(path: str, scopes: str, read: Callable[..., Any]) -> Route:
    pattern = re.compile(path.replace("{}", "([^/]+)"))
    return Route(pattern, tuple(f"read:{scope}" for scope in scopes.split()), read)


ROUTES = [
    _route("clients", "clients client_keys", read_clients),
    _route("clients/{}", "clients client_keys", read_client),
    _route("clients/{}/connections", "connections", read_client_connections),
    _route("token-exchange-profiles", "token_exchange_profiles", read_profiles),
    _route("token-exchange-profiles/{}", "token_exchange_profiles", read_profile),
    _route("actions/actions", "actions", read_actions),
    _route("actions/actions/{}", "actions", read_action),
    _route("custom-domains", "custom_domains", read_custom_domains),
    _route("tenants/settings", "tenant_settings", read_tenant),
    _route("guardian/policies", "mfa_policies", read_policies),
    _route(
        "attack-protection/suspicious-ip-throttling",
        "attack_protection",
        read_throttling,
    ),
    _route("organizations/name/{}", "organizations", read_organization_by_name),
    _route("organizations/{}", "organizations", read_organization),
    _route(
        "organizations/{}/enabled_connections",
        "organizations organization_connections",
        read_enabled_connections,
    ),
    _route("connections", "connections", read_connections),
    _route("resource-servers", "resource_servers", read_resource_servers),
    _route("logs", "logs logs_users", read_logs),
]
SCOPES = sorted({scope for route in ROUTES for scope in route.scopes})
