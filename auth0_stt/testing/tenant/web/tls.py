"""TLS with a certificate authority of the tenant's own, and names for it."""

import contextlib
import os
import shutil
import socket
import ssl
import tempfile
from typing import Any, Iterator, Tuple

import trustme

from ..clients import thumbprint_sha256


class Certificates:
    """A certificate authority in files that last until ``close()``."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="auth0-stt-")
        self._authority = trustme.CA()
        self.ca_file: str = os.path.join(self._folder, "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)

    def server_context(self, *public_domains: str) -> ssl.SSLContext:
        """Return a context for localhost that also takes a client's certificate."""
        public = [name.partition(":")[0] for name in public_domains]
        names = ["localhost", "mtls.localhost", "*.localhost", "127.0.0.1", "::1"]
        names += [*public, *("mtls." + name for name in public)]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(context)
        self._authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def client_certificate(self, name: str) -> Tuple[str, str, str]:
        """Return a new client certificate's path, its key's path and its thumbprint."""
        issued = self._authority.issue_cert(common_name=name)
        certificate = os.path.join(self._folder, name + ".pem")
        key = os.path.join(self._folder, name + ".key")
        for blob in issued.cert_chain_pems:
            blob.write_to_path(certificate, append=True)
        issued.private_key_pem.write_to_path(key)
        return (
            certificate,
            key,
            thumbprint_sha256(issued.cert_chain_pems[0].bytes().decode()),
        )

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def localhost_names(*tenants: Any) -> Iterator[None]:
    """Make names like ``mtls.localhost`` resolve in this process (RFC 6761, 6.3).

    Not every system's resolver does that. You need it for ``client_certificate``
    against a tenant with ``tls=True``. It replaces ``socket.getaddrinfo`` while it
    lasts. The public domains of the given tenants lead to their ports, whatever port is
    asked for.
    """
    original = socket.getaddrinfo
    ports = {
        name: tenant.port for tenant in tenants for name in tenant.public_domains or ()
    }

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        name = name.rstrip(".").lower() if isinstance(name, str) else ""
        public = name[len("mtls.") :] if name.startswith("mtls.") else name
        if public in ports:
            return original("127.0.0.1", ports[public], *args, **kwargs)
        loopback = name.endswith(".localhost")
        return original("127.0.0.1" if loopback else host, port, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = original
