"""The address that a session transfer token is bound to."""

from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """Return the IP address that the agent's browser comes from.

    It is the last hop that isn't one of our own proxies. Anything to the left of it in
    X-Forwarded-For is only what the client says.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    for hop in reversed([*forwarded, request.META["REMOTE_ADDR"]]):
        if hop.strip():  # On a unix socket, the peer has no address: it is our proxy.
            address = ip_address(hop.strip())
            address = getattr(address, "ipv4_mapped", None) or address
            if not any(address in network for network in settings.TRUSTED_PROXIES):
                return str(address)
    raise ImproperlyConfigured("no proxy sets X-Forwarded-For")
