"""Where a request comes from, and which of the tenant's domains it goes to."""

import ipaddress
from typing import Any, Optional

from attr import attrs

# A browser that this package plays names its IP address here, beside a secret.
ADDRESS_HEADER = "Local-Tenant-Address"
# Says in words why a page came, which Auth0's own pages do not.
REASON_HEADER = "Local-Tenant-Reason"
# The id of the rule that said no, on pages, redirects and answers alike.
RULE_HEADER = "Local-Tenant-Rule"


@attrs(frozen=True, auto_attribs=True)
class Origin:
    """One request's surroundings, as the rules ask for them."""

    # The IP address of the caller.
    ip: str
    # The custom domain, with its port and without "mtls.".
    host: str
    issuer: str
    # The same, without its port where it is one of loopback.
    bare_host: str = ""
    method: str = "POST"
    user_agent: str = ""
    language: Optional[str] = None
    # What the Auth0-Client header of an SDK holds.
    auth0_client: Any = None
    forwarded_for: Optional[str] = None
    # The certificate of a TLS client in PEM, where the request went to mtls.{domain}.
    certificate: Optional[str] = None


def parse_ip(text: Optional[str]) -> Optional[str]:
    """Return one IP address in its canonical form, None for anything else."""
    try:
        return str(ipaddress.ip_address(text or ""))
    except ValueError:
        return None
