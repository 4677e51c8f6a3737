"""A model hub on local sockets: it answers as the Hugging Face hub does, and can be told to fail as networks do."""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Served:
    """One file of a repository, and how the hub behaves when it is asked for it."""

    data: bytes
    large: bool = True
    """In large file storage: its SHA-256 is stated, and its bytes come from another host."""
    sent_instead: bytes | None = None
    """What is sent in its place."""
    states_digest: bool = True
    states_size: bool = True
    knows_ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """For each further transfer, the bytes after which the connection is cut."""
    stalls_s: list[float] = field(default_factory=list)
    """For each further transfer, seconds of silence after its first half."""
    holds: list[threading.Event] = field(default_factory=list)
    """For each further transfer, what it waits for after its first half."""
    statuses: list[int] = field(default_factory=list)
    """HTTP statuses the hub answers instead, one a request."""
    gated: bool = False
    redirect_to: str = ""
    """Where the hub sends for the bytes, if not to its own second host."""


@dataclass
class Request:
    """What was asked, of which of the two hosts."""

    host: str
    method: str
    path: str
    start: int
    authorization: str
    sent: int = 0


class ModelHub:
    """Two hosts: the hub, and the one that large files come from."""

    def __init__(self, certificate: Path | None = None, token: str = "the-right-token") -> None:
        self.files: dict[tuple[str, str], Served] = {}
        self.requests: list[Request] = []
        self.token = token
        self._hosts = {name: self._listen(name, certificate) for name in ("hub", "storage")}
        scheme = "https" if certificate else "http"
        self.address, self.storage = (f"{scheme}://127.0.0.1:{h.server_address[1]}" for h in self._hosts.values())

    def _listen(self, name: str, certificate: Path | None) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self, "host": name}))
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def close(self) -> None:
        """Stops both hosts."""
        for host in self._hosts.values():
            host.shutdown()
            host.server_close()

    def add(self, repository: str, path: str, data: bytes, **behaviour: Any) -> Served:
        """Publishes a file; ``behaviour`` is what Served takes."""
        self.files[repository, path] = Served(data, **behaviour)
        return self.files[repository, path]

    def transfers(self, path: str) -> list[Request]:
        """The requests that bytes of a file came for, in order."""
        return [r for r in self.requests if r.method == "GET" and r.sent and r.path.endswith(path)]


@contextmanager
def running_hub(certificate: Path | None = None) -> Iterator[ModelHub]:
    """A hub, for as long as it is needed."""
    hub = ModelHub(certificate)
    try:
        yield hub
    finally:
        hub.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: ModelHub
    host: str

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests read ``requests``."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        request = Request(
            self.host, self.command, path, int(start[1]) if start else 0, self.headers.get("Authorization", "")
        )
        self.hub.requests.append(request)
        said = re.fullmatch(r"/(?:api/resolve-cache/models/|stored/)?([^/]+/[^/]+)/(?:resolve/)?([^/]+)/(.+)", path)
        served = self.hub.files.get((said[1], said[3])) if said else None
        if said is None or served is None:
            self._empty(404, {"X-Error-Code": "EntryNotFound"})
        elif self.host == "hub" and served.statuses:
            self._empty(served.statuses.pop(0), {"Retry-After": "0"})
        elif self.host == "hub" and served.gated and request.authorization != f"Bearer {self.hub.token}":
            self._empty(403 if request.authorization else 401, {"X-Error-Code": "GatedRepo"})
        elif path.startswith(("/stored/", "/api/")):
            self._send(served, request)
        else:
            self._redirect(served, said[1], said[3])

    def _redirect(self, served: Served, repository: str, path: str) -> None:
        headers = {"X-Repo-Commit": COMMIT}
        if served.large:
            headers["Location"] = served.redirect_to or f"{self.hub.storage}/stored/{repository}/{COMMIT}/{path}"
            if served.states_digest:
                headers["X-Linked-Etag"] = f'"{hashlib.sha256(served.data).hexdigest()}"'
            if served.states_size:
                headers["X-Linked-Size"] = str(len(served.data))
            self._empty(302, headers)
        else:
            headers["Location"] = f"/api/resolve-cache/models/{repository}/{COMMIT}/{path}"
            self._empty(307, headers)

    def _send(self, served: Served, request: Request) -> None:
        data = served.data if served.sent_instead is None else served.sent_instead
        start = request.start if served.knows_ranges else 0
        if start >= len(data) > 0:
            self._empty(416, {})
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if not served.large:
            self.send_header("X-Repo-Commit", COMMIT)
        if not served.large and served.states_digest:
            blob = b"blob %d\0" % len(served.data) + served.data
            self.send_header("ETag", f'"{hashlib.sha1(blob).hexdigest()}"')
        self.end_headers()
        if request.method == "HEAD":
            return
        body = data[start:]
        cut = served.cuts.pop(0) if served.cuts else len(body)
        stall_s = served.stalls_s.pop(0) if served.stalls_s else 0.0
        hold = served.holds.pop(0) if served.holds else None
        with suppress(ConnectionError, ssl.SSLError):
            for part in (body[:cut][: len(body) // 2], body[:cut][len(body) // 2 :]):
                self.wfile.write(part)
                self.wfile.flush()
                request.sent += len(part)
                time.sleep(stall_s)
                if hold is not None:
                    hold.wait()
        if cut < len(body):
            self.close_connection = True

    def _empty(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()
