"""Addresses at which metrics are served: ``host:port`` or ``unix:PATH``."""

from __future__ import annotations

METRICS_PATH = "/metrics"
UNIX = "unix:"
# What every system takes as the path of a Unix socket, bytes: macOS has 104, with the zero at the end.
MAX_SOCKET_PATH = 100


def checked_listen(listen: str) -> str:
    """Return an address that metrics may be served at; empty: nowhere. Raises ValueError with the fix."""
    listen = listen.strip()
    if not listen:
        return listen
    if listen.startswith(UNIX):
        path = listen.removeprefix(UNIX)
        if not path.startswith("/") or len(path.encode()) > MAX_SOCKET_PATH:
            raise ValueError(f"give an absolute path of at most {MAX_SOCKET_PATH} bytes after unix:")
        return listen
    split_host_port(listen)
    return listen


def split_host_port(listen: str) -> tuple[str, int]:
    """Return host and port of ``host:port``; an IPv6 address stands in brackets. Raises ValueError."""
    host, _, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare and bare == host) or not port.isdecimal() or int(port) > 65_535:
        raise ValueError("give an address such as 127.0.0.1:9464, [::1]:9464 or unix:/run/meetra/api.sock")
    return bare, int(port)
