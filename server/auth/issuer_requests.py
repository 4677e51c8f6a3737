"""Requests to an external issuer: bounded in size and time, without redirects, to addresses that are allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from server.outbound_connection import AddressRefused, is_public, outbound_pool
from server.outbound_url import checked_url

# Of all requests together until keys are there, seconds.
TIMEOUT_S = 5.0
# Those of large issuers have 20 kB.
MAX_BYTES = 256 * 1024
HEADERS = ((b"accept", b"application/json"), (b"accept-encoding", b"identity"))


class IssuerUnreachable(Exception):
    """The issuer gave no usable answer; the message says why, and quotes nothing of it."""


async def fetch_json(url: str, *, private_network: bool) -> dict[str, Any]:
    """Return the JSON object at a URL.

    Args:
        private_network: whether plain HTTP, and addresses of private networks, are allowed.

    Raises IssuerUnreachable. The caller bounds the time.
    """
    try:
        checked_url(url, plain_http=private_network, allowed_by="MEETRA_OIDC_PRIVATE_NETWORK=true")
    except ValueError as error:
        raise IssuerUnreachable(f"its URL may not be asked: {error}") from None
    pool = outbound_pool(url, lambda address: private_network or is_public(address), httpx.create_ssl_context())
    try:
        async with pool, pool.stream("GET", url, headers=HEADERS) as got:
            return _parsed(got.status, dict(got.headers), [part async for part in _bounded(got)])
    except AddressRefused:
        raise IssuerUnreachable("it is at a private address; MEETRA_OIDC_PRIVATE_NETWORK=true allows that") from None
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError) as error:
        raise IssuerUnreachable(f"{type(error).__name__}") from None
    except OSError as error:
        raise IssuerUnreachable(error.strerror or type(error).__name__) from None


async def _bounded(response: httpcore.Response) -> Any:
    size = 0
    async for part in response.aiter_stream():
        size += len(part)
        if size > MAX_BYTES:
            raise IssuerUnreachable(f"its answer has more than {MAX_BYTES // 1024} KiB")
        yield part


def _parsed(status: int, headers: dict[bytes, bytes], parts: Iterable[bytes]) -> dict[str, Any]:
    if status != 200:
        raise IssuerUnreachable(f"HTTP status {status}")
    if {name.lower(): value for name, value in headers.items()}.get(b"content-encoding", b"identity") != b"identity":
        raise IssuerUnreachable("its answer is compressed")
    try:
        document = json.loads(b"".join(parts))
    except (ValueError, RecursionError):
        raise IssuerUnreachable("its answer is no JSON") from None
    if not isinstance(document, dict):
        raise IssuerUnreachable("its answer is no JSON object")
    return document
