"""The playground's switches: every way in which a delegated login fails, most of them silently."""

from typing import TYPE_CHECKING, Any, Callable, Tuple

from attr import attrs

from ..tenant.action import Api, Event

if TYPE_CHECKING:
    from ..local_tenant import LocalTenant

Setting = Callable[["LocalTenant"], None]


def _nothing(tenant: "LocalTenant") -> None:
    """Leave the tenant as it is: the console, the shop or the browser does something else."""


@attrs(frozen=True, auto_attribs=True)
class Switch:
    """Something to go wrong: what it is, how to mend it, and how to make it so in the tenant."""

    key: str
    label: str
    mend: str
    apply: Setting = _nothing


@attrs(frozen=True, auto_attribs=True)
class Group:
    """The switches that belong to one place."""

    title: str
    switches: Tuple[Switch, ...]


def _client(client_id: str, path: str, value: Any) -> Setting:
    def apply(tenant: "LocalTenant") -> None:
        *outer, name = path.split(".")
        settings = tenant.settings[client_id]
        for key in outer:
            settings = settings[key]
        settings[name] = value

    return apply


def _no_actor(tenant: "LocalTenant") -> None:
    def action(event: Event, api: Api) -> None:
        api.authentication.setUserById("auth0|ada")

    tenant.action = action


def _deny(tenant: "LocalTenant") -> None:
    tenant.action = lambda event, api: api.access.deny(
        "unauthorized_actor", "Sam is not on call this week."
    )


def _mfa(tenant: "LocalTenant") -> None:
    tenant.settings["tenant"]["guardian_policies"] = ["all-applications"]


def _connection(tenant: "LocalTenant") -> None:
    for connection in tenant.connections.values():
        connection["enabled_clients"] = ["console"]


GROUPS = (
    Group(
        "In the console\u2019s code",
        (
            Switch(
                "no-address",
                "It forgets forwarded_for",
                "Pass the agent\u2019s own address as forwarded_for: without it the token is bound to the server's.",
            ),
            Switch(
                "stale-id-token",
                "It passes on an expired ID token",
                "Call resolve_actor_token() before each mint: it renews the agent\u2019s ID token in time.",
            ),
        ),
    ),
    Group(
        "In the tenant, for the console",
        (
            Switch(
                "untrusted-address",
                "Trust Token Endpoint IP Header is off",
                "Switch it on for the console: is_token_endpoint_ip_header_trusted = true.",
                _client("console", "is_token_endpoint_ip_header_trusted", False),
            ),
            Switch(
                "no-transfer",
                "Session transfer is not enabled",
                "Set session_transfer.can_create_session_transfer_token = true on the console.",
                _client(
                    "console",
                    "session_transfer.can_create_session_transfer_token",
                    False,
                ),
            ),
            Switch(
                "no-actor",
                "The Action forgets setActor",
                "Call api.authentication.setActor() in the Action.",
                _no_actor,
            ),
            Switch(
                "deny",
                "The Action says no",
                "That is the Action\u2019s to decide: it named the reason.",
                _deny,
            ),
            Switch(
                "mfa",
                "Everyone needs a second factor",
                "Exempt this exchange from multi-factor authentication: it can\u2019t be done with an actor.",
                _mfa,
            ),
        ),
    ),
    Group(
        "In the tenant, for the shop",
        (
            Switch(
                "no-delegation",
                "allow_delegated_access is off",
                "Set session_transfer.delegation.allow_delegated_access = true on the shop.",
                _client(
                    "shop", "session_transfer.delegation.allow_delegated_access", False
                ),
            ),
            Switch(
                "no-query",
                "\u201cquery\u201d is not an allowed method",
                'Add "query" to session_transfer.allowed_authentication_methods of the shop.',
                _client(
                    "shop",
                    "session_transfer.allowed_authentication_methods",
                    ["cookie"],
                ),
            ),
            Switch(
                "consent",
                "It would ask for consent",
                "Make the shop a first-party application: no consent can be asked for in a delegated login.",
                _client("shop", "is_first_party", False),
            ),
            Switch(
                "no-connection",
                "The customer\u2019s connection is not enabled",
                "Enable the connection that the customer comes from for the shop.",
                _connection,
            ),
        ),
    ),
    Group(
        "In the shop\u2019s code",
        (
            Switch(
                "dropped-token",
                "The login route drops the token",
                "Pass session_transfer_params(request.args) on to /authorize in the login route.",
            ),
        ),
    ),
    Group(
        "On the agent\u2019s side",
        (
            Switch(
                "moved",
                "The agent\u2019s address changes after the click",
                "A token is good from one address alone: keep the agent on one network (VPN, IPv4 or IPv6), or retry.",
            ),
            Switch(
                "late",
                "61 seconds pass before the browser follows",
                "Redirect at once: mint on the click, never ahead of it.",
            ),
            Switch(
                "opened-before",
                "Something opens the link first",
                "A token is good for one use: no scanner, preview or prefetch may follow the link before the agent.",
            ),
            Switch(
                "open-session",
                "The browser has a session on the shop\u2019s domain",
                "Log out there first, and give console and shop different custom domains.",
            ),
        ),
    ),
)
SWITCHES = {switch.key: switch for group in GROUPS for switch in group.switches}
