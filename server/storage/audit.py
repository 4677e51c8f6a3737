"""The audit log of organizations: rows are added and read, never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TypeAlias
from uuid import UUID, uuid4

from server.storage.pool import Connection

AUDIT_ACTIONS = ("read", "change", "delete", "export", "login", "refused")
_FIELDS = (
    "id, organization_id, happened_at, last_at, count, actor, user_id, key_id, role, method, action, object_kind,"
    " object_id, address, request_id, status, begun_id"
)
# Whatever is wanted, so that nobody keeps the database busy by looking for what is not there.
MAX_SCANNED = 50_000
# Events that one statement looks at: few enough that the index is read in its order, and no other row.
_CHUNK = 2000
# When an event happened, and its id.
Position: TypeAlias = tuple[datetime, UUID]
_ORDER = " ORDER BY e.happened_at DESC, e.id DESC"
_NUMBERS = ", ".join(f"${number}" for number in range(1, 18))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """What somebody did. It holds ids, and nothing that people wrote or said."""

    organization_id: UUID
    method: str
    """As ``MeetingService/DeleteMeeting``; of the command line as ``meetra purge``; ``*``: several."""
    action: str
    """One of ``AUDIT_ACTIONS``."""
    actor: str = "unknown"
    """``user``, ``key``, ``operator`` or ``unknown``."""
    user_id: UUID | None = None
    """Of a key, whose it is."""
    key_id: UUID | None = None
    role: str = ""
    object_kind: str = ""
    object_id: str = ""
    address: str = ""
    request_id: str = ""
    status: str = "OK"
    """Else an ErrorReason without its prefix, ``CANCELLED``, or empty for a call that has begun."""
    begun_id: UUID | None = None
    """The event of the call's beginning, which this one replaces."""
    happened_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_at: datetime | None = None
    """Of the last of several equal events; None: of the only one."""
    count: int = 1
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are read; what is empty selects all."""

    actor: str = ""
    """Id of a user or key, or ``operator`` or ``unknown``."""
    object_id: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some of the wanted events; there may be none of them, and still more to come."""

    events: list[AuditEvent]
    ends_at: Position | None
    """Where the next page begins; None after the last."""


async def add(connection: Connection, organization_id: UUID, events: Iterable[AuditEvent]) -> dict[str, int]:
    """Add events of an organization; safe to repeat.

    Returns, for each action among them, how many rows of it were added today (UTC), these included.
    """
    rows = [
        (
            *(event.id, organization_id, event.happened_at, event.last_at or event.happened_at, event.count),
            *(event.actor, event.user_id, event.key_id, event.role, event.method, event.action),
            *(event.object_kind, event.object_id, event.address, event.request_id, event.status, event.begun_id),
        )
        for event in events
    ]
    await connection.executemany(
        f"INSERT INTO audit_events ({_FIELDS}) VALUES ({_NUMBERS}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
        rows,
    )
    added, today = Counter(str(row[10]) for row in rows), _today()
    # In one order everywhere, so that two processes never wait for each other.
    return {
        action: await connection.fetchval(
            "INSERT INTO audit_days (organization_id, day, action, rows) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (organization_id, day, action) DO UPDATE SET rows = audit_days.rows + excluded.rows"
            " RETURNING rows",
            organization_id,
            today,
            action,
            added[action],
        )
        for action in sorted(added)
    }


async def add_by_operator(
    connection: Connection,
    organization_id: UUID,
    method: str,
    action: str,
    object_kind: str = "",
    object_id: object = "",
) -> None:
    """Add what the operator did on the command line, in the transaction that does it."""
    event = AuditEvent(
        organization_id=organization_id,
        method=method,
        action=action,
        actor="operator",
        object_kind=object_kind,
        object_id=str(object_id),
    )
    await add(connection, organization_id, [event])


async def list_page(
    connection: Connection,
    organization_id: UUID,
    wanted: AuditFilter,
    limit: int,
    before: Position | None = None,
    most_scanned: int = MAX_SCANNED,
) -> AuditPage:
    """Return events of an organization, newest first. Of a call that has ended, only how it did.

    Args:
        before: the position at which the page before ended.
        most_scanned: events that are looked at; a page of which few are wanted ends there.
    """
    events: list[AuditEvent] = []
    for _ in range(0, most_scanned, _CHUNK):
        chunk = min(_CHUNK, most_scanned)
        found, before = await _look(connection, organization_id, wanted, limit + 1 - len(events), before, chunk)
        events += found
        if len(events) > limit:
            events = events[:limit]
            return AuditPage(events, (events[-1].happened_at, events[-1].id))
        if before is None:
            break
    return AuditPage(events, before)


async def _look(
    connection: Connection, organization_id: UUID, wanted: AuditFilter, most: int, before: Position | None, chunk: int
) -> tuple[list[AuditEvent], Position | None]:
    """Return up to ``most`` wanted ones of the next ``chunk`` events, and the position after these; None at the end."""
    values: list[object] = [organization_id]

    def place(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    # Conditions that are not wanted are left out, so that an index is read in its order, whatever is planned for.
    span = "e.organization_id = $1"
    if wanted.object_id:
        span += f" AND e.object_id = {place(wanted.object_id)} AND e.object_id <> ''"
    if before is not None:
        span += f" AND (e.happened_at, e.id) < ({place(before[0])}, {place(before[1])})"
    if wanted.since is not None:
        # Several equal events lie within an hour (server/audit/repeats.py).
        span += f" AND e.happened_at >= {place(wanted.since)}::timestamptz - interval '1 hour'"
    if wanted.until is not None:
        span += f" AND e.happened_at < {place(wanted.until)}"
    floor = await connection.fetchrow(
        f"SELECT e.happened_at, e.id FROM audit_events e WHERE {span}{_ORDER} OFFSET {chunk - 1} LIMIT 1",  # noqa: S608
        *values,
    )
    conditions = ""
    if wanted.since is not None:
        conditions += f" AND e.last_at >= {place(wanted.since)}"
    if wanted.actor:
        actor = place(wanted.actor)
        conditions += f" AND (e.actor = {actor} OR e.user_id::text = {actor} OR e.key_id::text = {actor})"
    if wanted.action:
        conditions += f" AND e.action = {place(wanted.action)}"
    rows: Sequence[object] = await connection.fetch(
        f"SELECT {_FIELDS} FROM (SELECT * FROM audit_events e WHERE {span}{_ORDER} LIMIT {chunk}) e"  # noqa: S608
        " WHERE (e.status <> '' OR (SELECT true FROM audit_events f WHERE f.begun_id = e.id LIMIT 1) IS NULL)"
        f"{conditions}{_ORDER} LIMIT {place(most)}",
        *values,
    )
    events = [AuditEvent(**dict(row)) for row in rows]  # type: ignore[call-overload]
    return events, (floor["happened_at"], floor["id"]) if floor else None


async def delete_old(connection: Connection, days: int, most: int) -> int:
    """Delete up to ``most`` events of each organization older than ``days``, at least 30; return how many."""
    deleted: int = await connection.fetchval("SELECT delete_old_audit_events($1, $2)", days, most)
    return deleted


def _today() -> date:
    return datetime.now(UTC).date()
