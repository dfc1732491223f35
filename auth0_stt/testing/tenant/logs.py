"""The tenant's log, with the types and fields of Auth0's published schema.

[doc] main/docs/oas/tenant-logs/logs-schema.json in Auth0's public docs repository.
"""

import time
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from attr import Factory, attrs
from attr import fields as attr_fields

from .settings import TENANT_NAME

# A success and a failure of each grant.
TOKEN_TYPES = {
    "urn:ietf:params:oauth:grant-type:token-exchange": ("secte", "fecte"),
    "authorization_code": ("seacft", "feacft"),
    "refresh_token": ("sertft", "fertft"),
}
DELEGATED_TOKEN_TYPES = ("sdeleacft", "fdeleacft")
# These have no hostname in the schema.
WITHOUT_HOSTNAME = ("secte", "fecte", "w")
# These name the strategy of the connection, and these no connection at all.
WITH_STRATEGY = {"sdel", "w", "s", "f", "fp", "slo", "actions_execution_failed"}
WITHOUT_CONNECTION = {"sdelsa", "fdelsa"}
# These say which SDK asked.
WITH_AUTH0_CLIENT = {
    *("secte", "fecte", "sdel", "sdelsa", "fdelsa", "sertft", "fertft"),
    *("seacft", "feacft", *DELEGATED_TOKEN_TYPES),
}


@attrs(frozen=True, auto_attribs=True)
class Log(Mapping[str, Any]):
    """An entry of the log. ``type`` is Auth0's: ``secte``, ``sdel``, ``w`` and so on.

    Its fields are attributes; one that does not apply is None. As a mapping, which goes
    into JSON as ``dict(log)``, it has only those that apply.
    """

    type: str
    description: str
    # ISO 8601.
    date: str
    log_id: str
    client_id: Optional[str] = None
    client_name: Optional[str] = None
    user_id: Optional[str] = None
    user_name: Optional[str] = None
    connection: Optional[str] = None
    connection_id: Optional[str] = None
    strategy: Optional[str] = None
    strategy_type: Optional[str] = None
    organization_id: Optional[str] = None
    organization_name: Optional[str] = None
    audience: Optional[str] = None
    scope: Optional[str] = None
    ip: Optional[str] = None
    hostname: Optional[str] = None
    user_agent: Optional[str] = None
    auth0_client: Any = None
    details: Dict[str, Any] = Factory(dict)
    tenant_name: str = TENANT_NAME
    environment_name: str = "local"

    def __getitem__(self, name: str) -> Any:
        return self._present()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def _present(self) -> Dict[str, Any]:
        fields = {each.name: getattr(self, each.name) for each in attr_fields(Log)}
        return {name: value for name, value in fields.items() if value is not None}


def iso(seconds: float) -> str:
    """Return a time as Auth0 writes it."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def log_id(number: int, seconds: float) -> str:
    """Return an id like Auth0's: ids sort by time."""
    return f"900{iso(seconds)[:19].translate(_DIGITS)}{number:06d}"


_DIGITS = {ord(char): None for char in "-:T"}


def types_of(grant_type: str, delegated: bool) -> Tuple[str, str]:
    """Return the log types of a token request: for its success and for its failure."""
    if delegated:
        return DELEGATED_TOKEN_TYPES
    return TOKEN_TYPES.get(grant_type, TOKEN_TYPES["authorization_code"])


def grants() -> List[str]:
    """Return the grant types that the tenant knows."""
    return list(TOKEN_TYPES)
