"""Connections that the server opens on its own, to addresses that are allowed: checked and used are the same."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore

# Of a name's addresses, so many are tried.
MAX_ADDRESSES = 4


class AddressRefused(Exception):
    """A name stands for an address that is not allowed."""


def outbound_pool(
    url: str, allowed: Callable[[str], bool], context: ssl.SSLContext, executor: Executor | None = None
) -> httpcore.AsyncConnectionPool:
    """Return a pool of connections for a URL, through the proxy of the environment if there is one for it.

    A proxy finds the address, and decides which it allows. The pool follows no redirects.

    Args:
        allowed: whether an IP address may be connected to. A name is refused with AddressRefused if any of its
            addresses may not.
        executor: where names are looked up; None: the loop's own.
    """
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(parts.netloc):
        return httpcore.AsyncHTTPProxy(proxy, ssl_context=context)
    return httpcore.AsyncConnectionPool(context, network_backend=_CheckedAddresses(allowed, executor))


async def addresses_of(host: str, port: int, executor: Executor | None = None) -> list[str]:
    """Return the IP addresses that a name stands for. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(executor, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _CheckedAddresses(httpcore.AsyncNetworkBackend):
    """Looks a name up once, judges every address of it, and connects to one of those."""

    def __init__(self, allowed: Callable[[str], bool], executor: Executor | None) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allowed, self._executor = allowed, executor

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See httpcore. Raises AddressRefused."""
        addresses = await addresses_of(host, port, self._executor)
        if not all(map(self._allowed, addresses)):
            raise AddressRefused
        failure: Exception = OSError("no address")
        for address in addresses[:MAX_ADDRESSES]:
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
    parsed = effective_address(address)
    return parsed.is_global and not parsed.is_multicast


def effective_address(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an IP address; of an IPv6 address that leads to an IPv4 address, that one."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        return parsed.ipv4_mapped or parsed.sixtofour or _nat64(parsed) or parsed
    return parsed


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
