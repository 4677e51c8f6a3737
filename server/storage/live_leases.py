"""Who holds a live meeting: a process with a lease, which it renews with its reports (``live_reports.report``).

Each take raises the meeting's ``fence``, which every write of its holder checks: a process that lost the lease writes
nothing any more, whether it knows or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from uuid import UUID

from server.storage.live import LiveRow, MeetingLost, find
from server.storage.pool import Connection

# A holder is told, with the meeting's id, that a client has come to another process.
WANTED_CHANNEL = "live_meeting_wanted"
# For how long a meeting that was wanted is left to the process to which its client came. As in migration 0029.
WANTED_FOR = timedelta(seconds=10)


class WantedBy(IntEnum):
    """The client that came to a process which does not hold its meeting."""

    NOBODY = 0
    CLIENT = 1
    """The holder lets go if no client is connected to it."""
    ITS_CLIENT = 2
    """The one that is connected to the holder: it lets go if that makes single calls, and no stream."""
    REPLACING_CLIENT = 3
    """One that takes over from whoever is connected: the holder lets go."""


class HeldElsewhere(Exception):
    """Another process holds the meeting, or its client has come to another process just now."""


@dataclass(frozen=True, slots=True)
class Taker:
    """A process that takes a meeting up."""

    machine: str
    """On which it runs."""
    process: str
    """What tells it from all others. It takes up no meeting that it holds already."""
    lease_s: float
    dead_fence: int | None = None
    """Fence of a holder that is known to be dead if it ran on ``machine``; None: of none is it known."""
    sends: bool = True
    """Whether a client came to it to send or control: a watcher can follow the meeting wherever it is held."""
    takes_expired: bool = True
    """Whether an expired lease is taken; False: only one that is free, or whose holder is dead."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A meeting as its holder took it up."""

    row: LiveRow
    holder_may_live: bool
    """Whether the holder before let its lease expire, and may still write into the meeting's files."""


async def acquire(connection: Connection, organization_id: UUID, meeting_id: UUID, taker: Taker) -> Taken:
    """Make a process the holder, if nobody is, its lease has expired, or it is known to be dead.

    Raises HeldElsewhere, MeetingLost if the meeting was deleted.
    """
    before = await connection.fetchrow(
        "SELECT lease_until IS NULL AS free, lease_until <= now() AS expired,"
        " coalesce(holder_process = $6 OR fence = $3 AND holder_machine = $4, false) AS dead,"
        " coalesce(wanted_at > now() - $5::interval, false) AS wanted"
        " FROM live_meetings WHERE meeting_id = $1 AND organization_id = $2 FOR UPDATE",
        meeting_id,
        organization_id,
        taker.dead_fence,
        taker.machine,
        WANTED_FOR,
        taker.process,
    )
    if before is None:
        raise MeetingLost(f"live meeting {meeting_id} was deleted")
    free = before["free"] or before["dead"]
    if not free and not (before["expired"] and taker.takes_expired):
        raise HeldElsewhere(f"another process holds live meeting {meeting_id}")
    if before["wanted"] and not taker.sends:
        raise HeldElsewhere(f"the client of live meeting {meeting_id} has come to another process")
    await connection.execute(
        "UPDATE live_meetings SET fence = fence + 1, lease_until = now() + $3, holder_machine = $4,"
        " holder_process = $5, wanted_at = NULL, wanted_by = 0 WHERE meeting_id = $1 AND organization_id = $2",
        meeting_id,
        organization_id,
        timedelta(seconds=taker.lease_s),
        taker.machine,
        taker.process,
    )
    row = await find(connection, organization_id, meeting_id)
    assert row is not None
    return Taken(row, not free)


async def renew(connection: Connection, organization_id: UUID, meeting_id: UUID, fence: int, lease_s: float) -> None:
    """Keep a meeting for the process that holds it, unless another process does by now."""
    await connection.execute(
        "UPDATE live_meetings SET lease_until = now() + $4"
        " WHERE meeting_id = $1 AND organization_id = $2 AND fence = $3 AND lease_until IS NOT NULL",
        meeting_id,
        organization_id,
        fence,
        timedelta(seconds=lease_s),
    )


async def release(connection: Connection, organization_id: UUID, meeting_id: UUID, fence: int) -> None:
    """Give a meeting back, unless another process holds it: nothing of this one writes any more."""
    await connection.execute(
        "UPDATE live_meetings SET lease_until = NULL WHERE meeting_id = $1 AND organization_id = $2 AND fence = $3",
        meeting_id,
        organization_id,
        fence,
    )


async def want(connection: Connection, organization_id: UUID, meeting_id: UUID, by: WantedBy) -> None:
    """Tell the holder of a meeting that a client came to another process."""
    wanted = await connection.fetchval(
        "UPDATE live_meetings SET wanted_at = now(),"
        " wanted_by = greatest($3, CASE WHEN wanted_at > now() - $4::interval THEN wanted_by END)"
        " WHERE meeting_id = $1 AND organization_id = $2 AND NOT finished RETURNING true",
        meeting_id,
        organization_id,
        int(by),
        WANTED_FOR,
    )
    if wanted:
        await connection.execute("SELECT pg_notify($1, $2)", WANTED_CHANNEL, str(meeting_id))
