"""Where inference servers are: a list of addresses, names that stand for several, and directories that tell them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

MAX_ADDRESSES = 256
MAX_PORT = 65_535
DIRECTORY = "directory://"


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the settings."""

    target: str
    """As it is given, a target of gRPC."""
    host: str = ""
    """The name to look up; empty: the target is no name, and stands for one server."""
    port: int = 0
    directory: bool = False
    """Whether a directory of servers is there (``meetra.inference.v2.DirectoryService``), and no server."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one inference server is."""

    target: str
    """A target of gRPC."""
    tls_name: str | None = None
    """The name that its certificate must have, where the target is an address that was looked up; else None."""


def parse_addresses(setting: str) -> list[Address]:
    """Return the addresses of a list separated by commas, each ``host:port`` or ``directory://host:port``.

    Raises ValueError.
    """
    targets = [part.strip() for part in setting.split(",")]
    if not all(targets):
        raise ValueError("give addresses such as inference-0:50061,inference-1:50061")
    if len(targets) > MAX_ADDRESSES:
        raise ValueError(f"give at most {MAX_ADDRESSES} addresses")
    if len(set(targets)) < len(targets):
        raise ValueError("an address is given twice")
    return [_parse(target) for target in targets]


def _parse(target: str) -> Address:
    place = target.removeprefix(DIRECTORY)
    if place != target and not place.startswith((DIRECTORY, "unix:")):
        return replace(_parse(place), directory=True)
    host, _, port = target.rpartition(":")
    if target.startswith("unix:"):
        return Address(target)
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= MAX_PORT or "/" in target:
        raise ValueError(
            f"{target!r} is no address; give host:port or directory://host:port, or several separated by commas"
        )
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return Address(target, host, int(port))
    return Address(target)


def is_of_one_server(target: str) -> bool:
    """Return whether a target is an IP address and a port, as directories tell them."""
    try:
        return not _parse(target).host and not target.startswith((DIRECTORY, "unix:"))
    except ValueError:
        return False


async def look_up(address: Address) -> list[Target]:
    """Return the servers at an address, in a fixed order. Raises OSError if the name cannot be looked up.

    A name with several addresses of one family stands for several servers, each with its own. One with an address of
    each family is one server: gRPC finds out how it is reached.
    """
    if not address.host:
        return [Target(address.target)]
    found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return split_name(address, ((family, str(place[0])) for family, _, _, _, place in found))


def split_name(address: Address, found: Iterable[tuple[int, str]]) -> list[Target]:
    """Return the servers behind a name.

    Args:
        found: family and address of each entry.
    """
    known = set(found)
    for family, form in ((socket.AF_INET, "{}:{}"), (socket.AF_INET6, "[{}]:{}")):
        hosts = sorted(host for kind, host in known if kind == family)
        if len(hosts) > 1:
            return [Target(form.format(host, address.port), address.host) for host in hosts[:MAX_ADDRESSES]]
    return [Target(address.target)]
