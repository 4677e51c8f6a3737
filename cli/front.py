"""The gateway's front: where clients reach it, where the commands of this machine do, and whether that is safe."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from gateway import LOOPBACK, TlsFiles

DEFAULT_PORT = 8080
# Addresses that a client on this machine reaches as 127.0.0.1.
REACHED_LOCALLY = (LOOPBACK, "0.0.0.0")  # noqa: S104


@dataclass(frozen=True, slots=True)
class Front:
    """Address and TLS of the gateway.

    With TLS, or on an address that 127.0.0.1 does not reach, the commands of this machine have a port of their own on
    127.0.0.1: certificates are rarely made out to it.
    """

    host: str
    port: int
    tls: TlsFiles | None
    spare_port: int
    """A free port, for the commands of this machine if they need one."""

    @property
    def local_port(self) -> int | None:
        """The port of this machine's commands; None if they use that of all clients."""
        return self.spare_port if self.tls or self.host not in REACHED_LOCALLY else None

    @property
    def local_address(self) -> str:
        """Host and port for clients on this machine, plain text."""
        return f"{LOOPBACK}:{self.local_port or self.port}"

    @property
    def url(self) -> str:
        """The address for people."""
        if self.local_port is None:
            return f"http://{self.local_address}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def warning(self) -> str | None:
        """What everybody who starts it must read; None if nothing is wrong."""
        if self.tls or ipaddress.ip_address(self.host).is_loopback:
            return None
        return (
            f"WARNING: no TLS on {self.host}. Passwords, tokens and recordings cross the network in plain text: whoever"
            " listens has them. Set MEETRA_TLS_CERTIFICATE and MEETRA_TLS_KEY to files in PEM, or let only a proxy with"
            " TLS reach this port."
        )
