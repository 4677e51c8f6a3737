"""The descriptors of this process: as many as the system allows, and some always free."""

from __future__ import annotations

import resource
from pathlib import Path

# More than all limits of a process together need. Some systems allow a billion, and programs that go through all of
# them never end.
WANTED = 65_536
# Share that new live meetings leave to everything else: connections, uploads, decoders, the database.
KEPT_FREE = 0.25


def raise_descriptor_limit() -> int:
    """Raise the limit of open descriptors as far as the system allows and we may need, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def open_descriptors() -> int:
    """Return the number of open descriptors."""
    # On Linux and macOS; one of them is the listing's own.
    return sum(1 for _ in Path("/dev/fd").iterdir()) - 1


def descriptors_are_scarce() -> bool:
    """Return whether less than a quarter of the descriptors are free."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft != resource.RLIM_INFINITY and open_descriptors() > soft * (1 - KEPT_FREE)
