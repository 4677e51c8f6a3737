"""The server of a process's metrics: a thread of its own, which answers also while the process is busy."""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prometheus_client import REGISTRY, disable_created_metrics, generate_latest

from monitoring.listening import METRICS_PATH, UNIX, split_host_port

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Whoever connects and says nothing keeps a place for so long, seconds.
PATIENCE_S = 10.0
# How long a stop may take to be noticed, seconds.
STOP_WITHIN_S = 0.1
# Connections at once; one more is closed.
MAX_CONNECTIONS = 8
log = logging.getLogger(__name__)
# A content type, and what returns the text.
Document = tuple[str, Callable[[], bytes]]
# A series for when each counter began would double their number, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]


def own_metrics() -> bytes:
    """Return the metrics of this process in Prometheus's text format."""
    return generate_latest(REGISTRY)


class MetricsServer:
    """Serves ``/metrics``, other documents where they are given, and nothing else, until closed.

    Args:
        listen: as ``checked_listen`` returns it, not empty; port 0: a free one.
        tell: returns what is served, in Prometheus's text format. It is called in a thread, several times at once.
        documents: the others, by path: content type, and what returns the text, called as ``tell`` is.

    Raises OSError where the address cannot be listened on. A Unix socket that lies there is replaced; nobody else can
    open the new one.
    """

    def __init__(
        self,
        listen: str,
        tell: Callable[[], bytes] = own_metrics,
        documents: Mapping[str, Document] = MappingProxyType({}),
    ) -> None:
        self._path = Path(listen.removeprefix(UNIX)) if listen.startswith(UNIX) else None
        self._server = _server(listen, {METRICS_PATH: (CONTENT_TYPE, tell), **documents})
        self.address = listen if self._path is not None else _host_port(self._server.socket)
        """Where it is reached: ``host:port``, or ``unix:PATH``."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_WITHIN_S,), name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening. Answers that are under way are not waited for."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


class _Bounded(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A thread for each connection, a few at once."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: Any, documents: Mapping[str, Document]) -> None:
        self.documents = documents
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a request for metrics broke off", exc_info=True)


class _Bounded6(_Bounded):
    address_family = socket.AF_INET6


class _BoundedUnix(_Bounded):
    address_family = socket.AF_UNIX
    allow_reuse_address = False

    def server_bind(self) -> None:
        with suppress(FileNotFoundError):
            Path(self.server_address).unlink()  # type: ignore[arg-type]  # a path, of this family
        # Threads share the mask: it is changed before any other of this process runs, or is as tight already.
        before = os.umask(0o177)
        try:
            super().server_bind()
        finally:
            os.umask(before)


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE_S
    server: _Bounded

    def do_GET(self) -> None:
        """Answer a scrape."""
        document = self.server.documents.get(self.path.partition("?")[0])
        if document is None:
            self._answer(404, "text/plain; charset=utf-8", f"metrics are at {METRICS_PATH}\n".encode())
            return
        content_type, tell = document
        try:
            told = tell()
        except Exception:
            log.exception("metrics cannot be told")
            self._answer(500, "text/plain; charset=utf-8", b"metrics cannot be told; see the log\n")
            return
        self._answer(200, content_type, told)

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a scrape comes every few seconds."""


def _host_port(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _server(listen: str, documents: Mapping[str, Document]) -> _Bounded:
    if listen.startswith(UNIX):
        return _BoundedUnix(listen.removeprefix(UNIX), documents)
    host, port = split_host_port(listen)
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return (_Bounded6 if family == socket.AF_INET6 else _Bounded)(address[:2], documents)
