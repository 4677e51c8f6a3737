"""TCP ports of this machine for programs that are about to listen."""

from __future__ import annotations

import random
import socket
import sys
from collections import deque
from pathlib import Path

# Free ports are sought from here up to the system's outgoing ones.
LOWEST_FREE_PORT = 10_000
OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
# So many of a process are kept from others; more than a system needs.
MAX_KEPT = 64
_kept: deque[socket.socket] = deque()


class NoFreePort(Exception):
    """Every TCP port of the loopback is taken."""


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on.

    Where there is room, below the ports that the system gives to outgoing connections: none of those takes it before it
    is listened on, or while a process that listened on it is started again. On Linux it is kept from other calls of
    this function, of any process, while this process runs, or until it has asked for many others.

    Raises NoFreePort.
    """
    below = _first_outgoing_port()
    chosen = (random.randrange(LOWEST_FREE_PORT, below) for _ in range(100)) if below > LOWEST_FREE_PORT else ()
    for port in (*chosen, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            taken: int = probe.getsockname()[1]
        if _keep(taken):
            return taken
    raise NoFreePort("no TCP port of 127.0.0.1 is free")


def _keep(port: int) -> bool:
    """Keep a port from other calls; return False where one of them has it."""
    if sys.platform != "linux":
        return True
    kept = socket.socket(socket.AF_UNIX)
    try:
        # A name without a file, which ends with its process.
        kept.bind(f"\0meetra port {port}")
    except OSError:
        kept.close()
        return False
    _kept.append(kept)
    if len(_kept) > MAX_KEPT:
        _kept.popleft().close()
    return True


def _first_outgoing_port() -> int:
    try:
        return int(OUTGOING_PORTS.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768  # not Linux: macOS begins at 49,152
