"""HTTP/2 by the frame, in the clear: what the gateway answers to one GET with a header of any size."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION = 0, 1, 3, 4, 7, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
STREAM = 1
MAX_FRAME = 16_384


@dataclass
class Answer:
    """The frames of the stream."""

    headers: bytes = b""
    """Packed by HPACK."""
    body: bytes = b""
    reset: bool = False
    frames: list[int] = field(default_factory=list)


def get(gateway: str, path: str, headers: dict[str, str]) -> Answer:
    """The answer to a GET, or its end by a reset."""
    address = urlsplit(gateway)
    fields = {":method": "GET", ":scheme": "http", ":path": path, ":authority": address.netloc, **headers}
    block = b"".join(_literal(name.encode(), value.encode()) for name, value in fields.items())
    pieces = [block[at : at + MAX_FRAME] for at in range(0, len(block), MAX_FRAME)]
    request = PREFACE + _frame(SETTINGS, 0, 0, b"")
    for number, piece in enumerate(pieces):
        flags = (END_STREAM if number == 0 else 0) | (END_HEADERS if number == len(pieces) - 1 else 0)
        request += _frame(HEADERS if number == 0 else CONTINUATION, flags, STREAM, piece)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request)
        return _answer(connection)


def _answer(connection: socket.socket) -> Answer:
    answer = Answer()
    with connection.makefile("rb") as file:
        while head := file.read(9):
            length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            stream, payload = int.from_bytes(head[5:], "big"), file.read(length)
            answer.frames.append(kind)
            if kind == GOAWAY or (kind == RST_STREAM and stream == STREAM):
                answer.reset = True
                return answer
            if kind == HEADERS:
                answer.headers += payload
            elif kind == DATA:
                answer.body += payload
            elif kind == SETTINGS and not flags & ACK:
                connection.sendall(_frame(SETTINGS, ACK, 0, b""))
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                return answer
    answer.reset = True
    return answer


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    """A header that is spelled out and remembered by nobody (RFC 7541, 6.2.2)."""
    return b"\0" + _length(len(name)) + name + _length(len(value)) + value


def _length(number: int) -> bytes:
    """An integer with a prefix of 7 bits (RFC 7541, 5.1)."""
    if number < 127:
        return bytes([number])
    out, rest = [127], number - 127
    while rest >= 128:
        out.append(rest % 128 + 128)
        rest //= 128
    return bytes([*out, rest])
