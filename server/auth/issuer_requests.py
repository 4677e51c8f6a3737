"""Requests to an external issuer: bounded in size and time, without redirects, to addresses that are allowed."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

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
        checked_url(url, plain_http=private_network)
    except ValueError as error:
        raise IssuerUnreachable(f"its URL may not be asked: {error}") from None
    try:
        async with _pool(url, private_network=private_network) as pool, pool.stream("GET", url, headers=HEADERS) as got:
            return _parsed(got.status, dict(got.headers), [part async for part in _bounded(got)])
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


def _pool(url: str, *, private_network: bool) -> httpcore.AsyncConnectionPool:
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    context = httpx.create_ssl_context()
    if proxy and not proxy_bypass(parts.netloc):
        # The proxy finds the address, and decides which it allows.
        return httpcore.AsyncHTTPProxy(proxy, ssl_context=context)
    return httpcore.AsyncConnectionPool(context, network_backend=_CheckedAddresses(private_network=private_network))


class _CheckedAddresses(httpcore.AsyncNetworkBackend):
    """Connects to what a name stands for, if every address of it is allowed: checked and used are the same."""

    def __init__(self, *, private_network: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._private_network = private_network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See httpcore. Raises IssuerUnreachable."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._private_network and not all(map(is_public, addresses)):
            raise IssuerUnreachable("it is at a private address; MEETRA_OIDC_PRIVATE_NETWORK=true allows that")
        failure: Exception = OSError("no address")
        for address in addresses[:4]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """See httpcore."""
        await self._inner.sleep(seconds)


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the whole internet's."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        # What leads to an IPv4 address is judged by that one.
        inner = parsed.ipv4_mapped or parsed.sixtofour or _nat64(parsed)
        if inner is not None:
            parsed = inner
    return parsed.is_global and not parsed.is_multicast


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
