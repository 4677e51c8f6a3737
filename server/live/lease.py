"""The lease with which this process holds a live meeting."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import cache, partial

from server.live.dependencies import LiveDependencies
from server.live.log_fence import Holder, this_machine
from server.storage import DatabaseUnavailable, LiveRow, Taker, live_leases

# A holder that stops waits so long for a database that is away, seconds: the lease expires by itself.
RELEASE_PATIENCE_S = 1.0
# So that one late renewal loses no lease.
RENEWALS_PER_LEASE = 3
log = logging.getLogger(__name__)


@cache
def _machine() -> str:
    return this_machine()


async def take_lease(
    dependencies: LiveDependencies, row: LiveRow, newest: Holder, *, sends: bool, takes_expired: bool
) -> tuple[LiveRow, bool]:
    """Take a meeting's lease; return its row as it is now, and whether the holder before may live.

    Args:
        newest: the last holder that the meeting's files know.
        sends: whether a client comes to send or control, and not to watch.
        takes_expired: whether it is taken from a holder that may live and has not renewed its lease.

    Raises HeldElsewhere, MeetingLost, DatabaseUnavailable.
    """
    # Of this machine, a process whose marker nobody has locked is gone; whatever another one's is, its lease tells.
    dead = None if newest.locks else newest.fence
    taker = Taker(_machine(), dependencies.process, dependencies.settings.lease_s, dead, sends, takes_expired)
    acquire = partial(live_leases.acquire, organization_id=row.organization_id, meeting_id=row.meeting_id, taker=taker)
    taken = await dependencies.database.run(acquire, organization_id=row.organization_id)
    return taken.row, taken.holder_may_live


async def keep_lease(dependencies: LiveDependencies, row: LiveRow) -> None:
    """Renew the lease of a meeting that is being taken up, until cancelled: to fetch its audio may take long."""
    lease_s = dependencies.settings.lease_s
    renew = partial(
        live_leases.renew,
        organization_id=row.organization_id,
        meeting_id=row.meeting_id,
        fence=row.fence,
        lease_s=lease_s,
    )
    while True:
        await asyncio.sleep(lease_s / RENEWALS_PER_LEASE)
        with suppress(DatabaseUnavailable):
            await dependencies.database.run(renew, organization_id=row.organization_id)


async def release_lease(dependencies: LiveDependencies, row: LiveRow) -> None:
    """Give a meeting back, so that another process need not wait for the lease to expire; best effort."""
    release = partial(
        live_leases.release, organization_id=row.organization_id, meeting_id=row.meeting_id, fence=row.fence
    )
    try:
        await dependencies.database.run(release, organization_id=row.organization_id, patience_s=RELEASE_PATIENCE_S)
    except DatabaseUnavailable as error:
        log.warning("live meeting %s: its lease is left to expire: %s", row.meeting_id, error)
