"""What a call's headers say beside who calls."""

from __future__ import annotations

from typing import Any

from grpc import aio

Context = aio.ServicerContext[Any, Any]
# The gateway asks so what a HEAD request asks: whether there is a stream, and nothing of it.
HEAD_ONLY = "x-head-only"


def content_encoding(context: Context) -> str:
    """How the body was packed on its way, as ``Content-Encoding`` says it; empty where it was not."""
    return ", ".join(str(value) for key, value in context.invocation_metadata() or () if key == "content-encoding")


def wants_head_only(context: Context) -> bool:
    """Whether nothing of a stream is to be sent but that it is there."""
    return any(key == HEAD_ONLY for key, _ in context.invocation_metadata() or ())
