"""Asking another process for its metrics."""

from __future__ import annotations

import http.client
import socket

from monitoring.listening import METRICS_PATH, UNIX, split_host_port

# Envoy alone has some thousand lines.
MAX_BYTES = 8 * 1024 * 1024


class ScrapeFailed(Exception):
    """The process does not tell its metrics; the message says why."""


def scrape(listen: str, path: str = METRICS_PATH, timeout_s: float = 3.0) -> str:
    """Return the metrics served at ``host:port`` or ``unix:PATH``, in Prometheus's text format. Raises ScrapeFailed.

    Args:
        timeout_s: how long connecting, and each read, may take, seconds.
    """
    connection = _Connection(listen, timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(MAX_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise ScrapeFailed(f"{listen}: {error or type(error).__name__}") from None
    finally:
        connection.close()
    if answer.status != 200 or len(body) > MAX_BYTES:
        raise ScrapeFailed(f"{listen}: status {answer.status}, {len(body)} bytes")
    return body.decode("utf-8", "replace")


class _Connection(http.client.HTTPConnection):
    """A connection to ``host:port`` or to a Unix socket."""

    def __init__(self, listen: str, timeout_s: float) -> None:
        self._socket_path = listen.removeprefix(UNIX) if listen.startswith(UNIX) else None
        host, port = ("localhost", 80) if self._socket_path is not None else split_host_port(listen)
        super().__init__(host, port, timeout=timeout_s)

    def connect(self) -> None:
        if self._socket_path is None:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._socket_path)
