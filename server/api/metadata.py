"""Call headers other than authentication."""

from __future__ import annotations

from typing import Any

from grpc import aio

Context = aio.ServicerContext[Any, Any]
# Set by the gateway for an upload: the Content-Length, which does not pass it. gRPC clients may set it, too.
CONTENT_LENGTH = "x-content-length"
# Digits of the largest length that is believed.
MAX_LENGTH_DIGITS = 18
# Set by the gateway for a HEAD request: check that the stream exists, but send nothing.
HEAD_ONLY = "x-head-only"
# Set by the gateway, whatever the client sent: the IP address of the client, as the proxies before it are trusted.
CLIENT_ADDRESS = "x-client-address"


def content_encoding(context: Context) -> str:
    """Return the ``Content-Encoding`` of the body; empty if there is none."""
    return ", ".join(str(value) for key, value in context.invocation_metadata() or () if key == "content-encoding")


def declared_length(context: Context) -> int:
    """Return the size of the body as its sender states it, bytes; 0 if it is unknown."""
    stated = [str(value) for key, value in context.invocation_metadata() or () if key == CONTENT_LENGTH]
    return (parse_length(stated[0]) or 0) if len(stated) == 1 else 0


def parse_length(text: str) -> int | None:
    """Return a header that is a number of bytes; None if it is none that is believed."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_LENGTH_DIGITS else None


def client_address(context: Context) -> str | None:
    """Return the IP address of the client; None if the gateway did not say it."""
    return next((str(value) for key, value in context.invocation_metadata() or () if key == CLIENT_ADDRESS), None)


def wants_head_only(context: Context) -> bool:
    """Return whether the call only checks that a stream exists."""
    return any(key == HEAD_ONLY for key, _ in context.invocation_metadata() or ())
