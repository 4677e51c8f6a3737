"""A web site of its own: pages that call the gateway come from another origin, as they do in the field."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing."""


class Site:
    """A static server of ``folder`` on a port of its own.

    Attributes:
        folder: what it serves; files may be added at any time.
        origin: ``http://127.0.0.1:<port>``, where browsers allow a microphone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add(self, name: str, content: str) -> str:
        """Write a file; return its URL."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return f"{self.origin}/{name}"

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
