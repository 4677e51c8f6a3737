"""Delays after failed logins, by account and by address."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from server.errors import TooManyLogins

# Failures without a delay; each one more doubles it, from 2 s to a minute.
FREE_FAILURES_OF_ACCOUNT = 5
# Many people may share an address.
FREE_FAILURES_OF_ADDRESS = 20
FIRST_DELAY_S, MAX_DELAY_S = 2.0, 60.0
# Failures are forgotten after so long without another.
FORGET_S = 900.0
# Of each kind; beyond it those without a failure for the longest time are forgotten.
MAX_TRACKED = 10_000
# An IPv6 customer has at least this network to itself.
IPV6_PREFIX = 64


@dataclass(slots=True)
class _Failures:
    count: int
    last_at: float
    free_at: float
    """When the next attempt is let through."""


class _Delays:
    """Failures by a key of one kind."""

    def __init__(self, free: int, clock: Callable[[], float]) -> None:
        self._free, self._clock = free, clock
        self._failures: OrderedDict[object, _Failures] = OrderedDict()

    def remaining_s(self, key: object) -> float:
        """Return how long the key has to wait, seconds; 0 if it need not."""
        failures = self._failures.get(key)
        return max(failures.free_at - self._clock(), 0.0) if failures else 0.0

    def add(self, key: object) -> None:
        """Count a failure."""
        now = self._clock()
        failures = self._failures.get(key)
        count = 1 if failures is None or now - failures.last_at > FORGET_S else failures.count + 1
        doublings = count - self._free
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(doublings, 30), MAX_DELAY_S) if doublings >= 0 else 0.0
        self._failures[key] = _Failures(count, now, now + delay_s)
        self._failures.move_to_end(key)
        while len(self._failures) > MAX_TRACKED:
            self._failures.popitem(last=False)

    def forget(self, key: object) -> None:
        self._failures.pop(key, None)


class LoginThrottle:
    """The failed logins of one process. Accounts count whether or not they exist, so that a refusal tells nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts = _Delays(FREE_FAILURES_OF_ACCOUNT, clock)
        self._addresses = _Delays(FREE_FAILURES_OF_ADDRESS, clock)
        # Whoever logged in from an address is not shut out by strangers who guess the password elsewhere.
        self._proven: OrderedDict[tuple[str, str], None] = OrderedDict()

    def require(self, account: str, address: str | None) -> None:
        """Raise TooManyLogins while the account or the address has to wait.

        Args:
            account: an email address.
            address: IP address of the caller; None if it is unknown.
        """
        network = _network(address)
        delay_s = max(
            self._accounts.remaining_s(self._account_key(account, network)),
            self._addresses.remaining_s(network) if network else 0.0,
        )
        if delay_s > 0:
            raise TooManyLogins(math.ceil(delay_s))

    def failed(self, account: str, address: str | None) -> None:
        """Count a failed attempt."""
        network = _network(address)
        self._accounts.add(self._account_key(account, network))
        if network:
            self._addresses.add(network)

    def succeeded(self, account: str, address: str | None) -> None:
        """Forget the account's failures; those of the address may be of other accounts."""
        network = _network(address)
        self._accounts.forget(self._account_key(account, network))
        if network:
            self._proven[account, network] = None
            self._proven.move_to_end((account, network))
            while len(self._proven) > MAX_TRACKED:
                self._proven.popitem(last=False)

    def caller(self, account: str, address: str | None) -> Hashable:
        """Return with whom an attempt shares its turns: nobody, if the account logged in from there before, else all
        strangers of the address.
        """
        network = _network(address)
        return (account, network) if (account, network) in self._proven else network

    def _account_key(self, account: str, network: str | None) -> object:
        return (account, network) if network and (account, network) in self._proven else account


def _network(address: str | None) -> str | None:
    """Return what one caller has to themselves: an address, or a network of IPv6; None if unknown, or this machine."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    # This machine: a proxy or the command line, and behind either anybody.
    if parsed.is_loopback:
        return None
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
