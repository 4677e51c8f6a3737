"""Running live meetings for lists and watchers: what their holders report, and who watches them elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from server.storage.live_leases import WantedBy
from server.storage.pool import Connection


class HolderReport(NamedTuple):
    """What the holder of a meeting knows of it."""

    meeting_id: UUID
    fence: int
    """The holder's; a report with an outdated one is dropped."""
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunningMeeting:
    """A live meeting whose last event is not stored yet."""

    id: UUID
    file_hash: str
    name: str
    held_on: str | None
    config: dict[str, Any]
    finished: bool
    """Whether it takes no more audio."""
    created_at: datetime
    running_s: float
    """Seconds since it was opened."""
    report: dict[str, Any] | None
    """The holder's last one; None before the first."""
    reported_at: datetime | None
    report_age_s: float | None


class Reported(NamedTuple):
    """What a holder learns of a meeting with its report."""

    unwatched_s: float | None
    """For how many seconds nobody has watched it in another process; None: nobody ever has."""
    wanted_by: WantedBy
    """Who came to another process for it."""


class Watched(NamedTuple):
    """What a process that does not hold a meeting needs to know of it."""

    concluded: bool
    report_age_s: float | None
    """Seconds since its holder reported; None before the first report."""


async def report(connection: Connection, reports: Sequence[HolderReport], lease_s: float) -> dict[UUID, Reported]:
    """Store what this process knows of the meetings that it holds, of any organization, and renew its leases.

    Meetings that it does not hold any more are left out.
    """
    rows = await connection.fetch(
        "SELECT meeting_id, unwatched_s, wanted_by FROM report_live_meetings($1, $2, $3, $4)",
        [one.meeting_id for one in reports],
        [one.fence for one in reports],
        [json.dumps(one.document) for one in reports],
        timedelta(seconds=lease_s),
    )
    return {row["meeting_id"]: Reported(row["unwatched_s"], WantedBy(row["wanted_by"])) for row in rows}


async def list_running(
    connection: Connection, organization_id: UUID, size: int, after: tuple[datetime, UUID] | None
) -> list[RunningMeeting]:
    """Return up to ``size`` running meetings of an organization, newest first, after the key ``after`` (created_at,
    id).
    """
    rows = await connection.fetch(
        "SELECT m.id, m.file_hash, m.name, m.held_on, m.created_at, l.config, l.finished, l.report, l.reported_at,"
        " extract(epoch FROM now() - m.created_at)::double precision AS running_s,"
        " extract(epoch FROM now() - l.reported_at)::double precision AS report_age_s"
        " FROM live_meetings l JOIN meetings m ON m.id = l.meeting_id"
        " WHERE l.organization_id = $1 AND NOT l.concluded"
        " AND ($3::timestamptz IS NULL OR (m.created_at, m.id) < ($3, $4::uuid))"
        " ORDER BY m.created_at DESC, m.id DESC LIMIT $2",
        organization_id,
        size,
        *(after or (None, None)),
    )
    return [RunningMeeting(**row) for row in rows]


async def find_session(connection: Connection, organization_id: UUID, file_hash: str) -> UUID | None:
    """Return the session of an organization's live meeting, running or not; None if there is none of this hash."""
    id_: UUID | None = await connection.fetchval(
        "SELECT m.id FROM meetings m JOIN live_meetings l ON l.meeting_id = m.id"
        " WHERE m.organization_id = $1 AND m.file_hash = $2",
        organization_id,
        file_hash,
    )
    return id_


async def watch(connection: Connection, organization_id: UUID, meeting_id: UUID, *, attended: bool) -> Watched | None:
    """Return the state of a meeting that another process holds, None if it was deleted.

    Args:
        attended: whether somebody watches it here: then its holder is told so.
    """
    if attended:
        await connection.execute(
            "UPDATE live_meetings SET watched_at = now() WHERE meeting_id = $1 AND organization_id = $2"
            " AND NOT concluded",
            meeting_id,
            organization_id,
        )
    row = await connection.fetchrow(
        "SELECT concluded, extract(epoch FROM now() - reported_at)::double precision AS report_age_s"
        " FROM live_meetings WHERE meeting_id = $1 AND organization_id = $2",
        meeting_id,
        organization_id,
    )
    return Watched(**row) if row else None


async def current_events(connection: Connection, organization_id: UUID, meeting_id: UUID) -> list[bytes]:
    """Return the payloads of a meeting's events without superseded turns: the last turn of each segment, and every
    other event, in order.
    """
    rows = await connection.fetch(
        "SELECT payload FROM ("
        " (SELECT DISTINCT ON (segment_id) event_seq, payload FROM live_events"
        "   WHERE meeting_id = $1 AND organization_id = $2 AND segment_id IS NOT NULL"
        "   ORDER BY segment_id, event_seq DESC)"
        " UNION ALL SELECT event_seq, payload FROM live_events"
        "   WHERE meeting_id = $1 AND organization_id = $2 AND segment_id IS NULL"
        ") AS current ORDER BY event_seq",
        meeting_id,
        organization_id,
    )
    return [row["payload"] for row in rows]
