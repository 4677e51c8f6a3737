"""Requests that nobody should send, made from the descriptors: every path and field with every value that hurts."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from server.api.public_services import public_methods

DEEPEST = 4
TEXTS: tuple[bytes, ...] = (
    b"",
    b" ",
    b"\xff",
    b"\xc3(",
    b"R\xe9union",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\0",
    b"a\0b",
    b"\r\nSet-Cookie: a=b",
    "\u202eleinaD".encode(),
    "\u200b".encode(),
    b"\x1b[31mred",
    b"x" * 5000,
    "\U0001f4a5".encode() * 600,
    b"' OR 1=1; --",
    b"../../../../etc/passwd",
    b"%s%n%d",
    b"${7*7}",
    b"<script>",
    b"NaN",
    b"-1",
    b"0",
    b"00019999",
    b"1e400",
    b"1.5",
    b"0x10",
    b"2147483648",
    b"-2147483649",
    b"99999999999999999999",
    "\u0663".encode(),
    b"true",
    b"[]",
    b"{}",
    b"0" * 64,
    b"0" * 63 + b"\n",
    b"00000000-0000-4000-8000-000000000000",
    b"2026-11-23\x0014:00",
    b"2026-13-01",
    b"9999-12-31T23:59:59-23:59",
    b"0001-01-01T00:00:00 23:59",
    # Page tokens at the ends of what Python's times can say, and one that is no text.
    b"OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OSAwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA=",
    b"MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OSAwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA=",
    b"__79_A==",
)
JSON_VALUES: tuple[bytes, ...] = (
    b"null",
    b"true",
    b"-1",
    b"1.5",
    b"1e999",
    b"-1e-999",
    b"NaN",
    b"Infinity",
    b"2147483648",
    b"9223372036854775808",
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\\u202ex"',
    b'"\\u200b"',
    b'"\xff"',
    b'"' + b"x" * 5000 + b'"',
    b'""',
    b"[]",
    b"{}",
    b"[[]]",
    b"[{}]",
    b"[null]",
    b'{"": 1}',
    b'{"a": {"b": []}}',
    b"[" * 300,
    b'{"a":' * 300,
    b"'x'",
    b"0x10",
    b'"CONTROL_FINISH"',
    b"99",
)
BODIES: tuple[bytes, ...] = (
    b"",
    b"[1]",
    b"{",
    b"}",
    b"{}{}",
    b"\0",
    b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}",
    b"email=a&password=b",
    b"<xml/>",
    b'{"a" "b"}',
    b'{"' + b"k" * 5000 + b'": 1}',
    b"[" * 5000,
    *JSON_VALUES,
)
HEADERS: tuple[tuple[str, str], ...] = (
    ("grpc-timeout", "1n"),
    ("grpc-timeout", "soon"),
    ("grpc-encoding", "nothing"),
    ("grpc-status", "13"),
    ("x-anything-bin", "!!!"),
    ("x-http-code", "500"),
    ("x-head-only", "true"),
    ("content-encoding", "br"),
    ("te", "trailers, deflate"),
    ("cookie", "a=" + "x" * 20_000),
    ("cookie", "a=" + "x" * 100_000),
    ("authorization", "Bearer " + "x" * 20_000),
    ("authorization", "Bearer \xff"),
    ("content-type", "application/grpc-web"),
    ("content-type", "audio/w\xe4v"),
    ("content-type", "multipart/form-data; boundary=\xff"),
    ("accept", "text/html"),
    ("upgrade", "websocket"),
    ("x-forwarded-for", "'; --"),
)


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request of a REST client."""

    method: str
    target: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A method of ours as REST has it."""

    verb: str
    path: str
    variables: tuple[str, ...]
    body: str
    request: Descriptor

    def target(self, **values: bytes) -> str:
        """The path with its variables filled in; those without a value name nothing that exists."""
        path = self.path
        for name in self.variables:
            value = values.get(name, b"00000000-0000-4000-8000-000000000001")
            path = path.replace(f"{{{name}}}", quote_from_bytes(value, safe=""))
        return path


def routes() -> Iterator[Route]:
    """Every method that REST has."""
    for method in public_methods():
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        verb = rule.WhichOneof("pattern")
        if verb is not None:
            path = getattr(rule, verb)
            names = tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
            yield Route(verb.upper(), path, names, rule.body, method.input_type)


def fields(kind: Descriptor, depth: int = DEEPEST) -> Iterator[tuple[str, FieldDescriptor]]:
    """Every field of a message, with its documented path."""
    for one in kind.fields:
        yield one.json_name, one
        if one.message_type is not None and depth:
            for path, inner in fields(one.message_type, depth - 1):
                yield f"{one.json_name}.{path}", inner


def requests(seed: int, most: int) -> Iterator[Hostile]:
    """At most so many of the cases that there are, drawn by ``seed``; then a tenth as many that are mixed of them."""
    known, dice = [*_every_case()], random.Random(seed)
    yield from dice.sample(known, min(most, len(known)))
    for _ in range(most // 10):
        yield _mixed(dice, known)


def _every_case() -> Iterator[Hostile]:
    for route in routes():
        yield Hostile(route.verb, route.target())
        yield from _in_path(route)
        yield from _in_query(route)
        yield from _in_body(route)
        for name, value in HEADERS:
            yield Hostile(route.verb, route.target(), b"{}" if route.body else None, {name: value})


def _in_path(route: Route) -> Iterator[Hostile]:
    for name in route.variables:
        for text in TEXTS:
            yield Hostile(route.verb, route.target(**{name: text}), b"{}" if route.body else None)


def _in_query(route: Route) -> Iterator[Hostile]:
    names = [path for path, _ in fields(route.request)] + ["colour", "%00", "a.b.c", "%FF", ""]
    for name in names:
        for text in TEXTS:
            yield Hostile(route.verb, f"{route.target()}?{name}={quote_from_bytes(text, safe='')}")
        yield Hostile(route.verb, f"{route.target()}?{name}=1&{name}=2&{name}")


def _in_body(route: Route) -> Iterator[Hostile]:
    if not route.body:
        return
    for body in BODIES:
        yield Hostile(route.verb, route.target(), body)
    kind = route.request
    if route.body != "*":
        inner = kind.fields_by_name[route.body].message_type
        assert inner is not None
        kind = inner
    for path, _ in fields(kind):
        for value in (*JSON_VALUES, *(json.dumps(text.decode("latin-1")).encode() for text in TEXTS)):
            yield Hostile(route.verb, route.target(), _nested(path.split("."), value))


def _nested(path: list[str], value: bytes) -> bytes:
    for name in reversed(path):
        value = b'{"%s": %s}' % (name.encode(), value)
    return value


def _mixed(dice: random.Random, known: list[Hostile]) -> Hostile:
    """Two cases in one, with some bytes of the body turned over."""
    one, other = dice.choice(known), dice.choice(known)
    body = bytearray(one.body or other.body or b"")
    for _ in range(dice.randrange(4) if body else 0):
        body[dice.randrange(len(body))] = dice.randrange(256)
    query = other.target.partition("?")[2]
    target = one.target + ("&" if "?" in one.target else "?") + query if query else one.target
    return Hostile(one.method, target, bytes(body) if one.body is not None else None, other.headers)


def messages(method: MethodDescriptor, seed: int, most: int) -> Iterator[bytes]:
    """Serialized requests of a method that are wrong as such, or hold wrong texts: for native gRPC."""
    dice = random.Random(seed)
    yield from (b"\xff", b"\x0a\xff", b"\x0a\x05abc", b"\x08" + b"\xff" * 11, b"\x0b" * 200, dice.randbytes(300))
    known = [_serialized(path, text) for path in _text_paths(method.input_type) for text in TEXTS]
    yield from dice.sample(known, min(most, len(known)))
    for one in method.input_type.fields:
        # A number where something else is expected, and the largest of its kind.
        for number in (b"\x00", b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"):
            yield _tag(one.number, 0) + number


def _text_paths(kind: Descriptor, depth: int = DEEPEST) -> Iterator[list[int]]:
    for one in kind.fields:
        if one.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            yield [one.number]
        elif one.message_type is not None and depth:
            yield from ([one.number, *path] for path in _text_paths(one.message_type, depth - 1))


def _serialized(path: list[int], value: bytes) -> bytes:
    for number in reversed(path):
        value = _tag(number, 2) + _varint(len(value)) + value
    return value


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def shown(request: Any) -> str:
    """A request for the message of a failed test."""
    return repr(request)[:600]
