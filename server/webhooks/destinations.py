"""Where webhooks may go: to public addresses over HTTPS, and to private networks that the operator names."""

from __future__ import annotations

import asyncio
import ipaddress
from concurrent.futures import Executor
from urllib.parse import urlsplit

from server.outbound_connection import addresses_of, effective_address, is_public
from server.outbound_url import checked_url

SETTING = "MEETRA_WEBHOOK_NETWORKS"
PRIVATE = f"it is at an address that is not public; {SETTING} names private networks that are allowed"
PLAIN = f"http is for the networks of {SETTING}; use https"
# A name that nobody answers for within this time is judged when something is sent to it.
LOOK_UP_S = 3.0


class DestinationRefused(Exception):
    """A webhook must not go there; the message says why and how to mend it."""


class Destinations:
    """Judge URLs and addresses."""

    def __init__(self, networks: str, executor: Executor | None = None) -> None:
        """
        Args:
            networks: private networks that are allowed, separated by commas; empty: none.
            executor: where names are looked up.
        """
        self._networks = [ipaddress.ip_network(part) for part in networks.replace(",", " ").split()]
        self._executor = executor

    def allows(self, scheme: str, address: str) -> bool:
        """Return whether something may be sent to this IP address.

        Args:
            scheme: ``https``, or ``http``, which is for private networks alone.
        """
        return self._is_named(address) or (scheme == "https" and is_public(address))

    def _is_named(self, address: str) -> bool:
        # A network of IPv6 may name what leads to an address of IPv4, which is judged as that alone.
        parsed = effective_address(address)
        return any(parsed.version == network.version and parsed in network for network in self._networks)

    async def check(self, url: str) -> str:
        """Return a URL that a webhook may have. Raises DestinationRefused.

        It is judged again by each connection: a name may stand for another address by then.
        """
        try:
            checked_url(url, plain_http=bool(self._networks), allowed_by=SETTING)
        except ValueError as error:
            raise DestinationRefused(str(error)) from None
        parts = urlsplit(url)
        assert parts.hostname is not None
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(LOOK_UP_S):
                addresses = await addresses_of(parts.hostname, port, self._executor)
        except (OSError, TimeoutError, UnicodeError):
            return url
        for address in addresses:
            if not self.allows(parts.scheme, address):
                public = parts.scheme == "http" and is_public(address)
                raise DestinationRefused(PLAIN if public else PRIVATE)
        return url
