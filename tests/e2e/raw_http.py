"""HTTP by the byte, for what no client library would send."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from tests.e2e.conftest import Rest


def raw(rest: Rest, *pieces: bytes) -> bytes:
    """Sends bytes as they are, each piece by itself, and returns all that comes until the other side closes."""
    address = urlsplit(rest.gateway)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    return answer


def head(rest: Rest, line: str, *headers: str) -> bytes:
    """The first lines of a request, after whose answer the connection is closed."""
    lines = [line, f"Authorization: Bearer {rest.token}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
