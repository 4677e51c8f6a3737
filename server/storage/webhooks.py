"""The webhooks of an organization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.storage.pool import Connection


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook, without its secrets."""

    id: UUID
    url: str
    description: str
    events: tuple[str, ...]
    created_at: datetime
    paused_at: datetime | None
    note: str
    """Why it is paused; empty while it is not."""
    failures: int
    """Attempts that failed since the last one that did not."""
    failing_since: datetime | None
    dropped: int
    """Events that were not kept for it."""
    previous_until: datetime | None
    """Until when requests are signed with the secret before, too."""
    waiting: int
    """Deliveries that are still to be made."""


_ROW = (
    "SELECT w.id, w.url, w.description, w.events, w.created_at, w.paused_at, w.note, w.failures, w.failing_since,"
    " w.dropped, CASE WHEN w.previous_until > now() THEN w.previous_until END AS previous_until,"
    " (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting') AS waiting"
    " FROM webhooks w"
)
# What waits is sent at once, with all its attempts before it.
_SEND_NOW = (
    "UPDATE webhook_deliveries SET next_at = now(), first_attempt_at = NULL, attempts = 0"
    " WHERE organization_id = $1 AND webhook_id = $2 AND state = 'waiting'"
)


def _row(row: Any) -> WebhookRow:
    return WebhookRow(**{**dict(row), "events": tuple(row["events"])})


async def lock_count(connection: Connection, organization_id: UUID) -> int:
    """Return how many webhooks an organization has, which stays so until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('webhooks of ' || current_organization(), 0))"
    )
    count: int = await connection.fetchval("SELECT count(*) FROM webhooks WHERE organization_id = $1", organization_id)
    return count


async def add(
    connection: Connection,
    organization_id: UUID,
    id_: UUID,
    *,
    url: str,
    description: str,
    events: Sequence[str],
    secret: bytes,
) -> None:
    """Store a webhook; safe to repeat.

    Args:
        secret: encrypted.
    """
    await connection.execute(
        "INSERT INTO webhooks (id, organization_id, url, description, events, secret) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (id) DO NOTHING",
        id_,
        organization_id,
        url,
        description,
        list(events),
        secret,
    )


async def find(connection: Connection, organization_id: UUID, id_: UUID) -> WebhookRow | None:
    """Return a webhook of an organization, or None."""
    row = await connection.fetchrow(f"{_ROW} WHERE w.organization_id = $1 AND w.id = $2", organization_id, id_)
    return _row(row) if row else None


async def list_all(connection: Connection, organization_id: UUID) -> list[WebhookRow]:
    """Return the webhooks of an organization, oldest first."""
    rows = await connection.fetch(f"{_ROW} WHERE w.organization_id = $1 ORDER BY w.created_at, w.id", organization_id)
    return [_row(row) for row in rows]


async def change(
    connection: Connection,
    organization_id: UUID,
    id_: UUID,
    *,
    url: str | None,
    description: str | None,
    events: Sequence[str] | None,
) -> None:
    """Change what is not None of a webhook. At another URL, what waits is sent at once."""
    moved = await connection.fetchval(
        "UPDATE webhooks w SET url = coalesce($3, w.url), description = coalesce($4, w.description),"
        " events = coalesce($5, w.events) FROM webhooks before WHERE w.organization_id = $1 AND w.id = $2"
        " AND before.id = w.id RETURNING w.url <> before.url",
        organization_id,
        id_,
        url,
        description,
        list(events) if events is not None else None,
    )
    if moved:
        await _begin_anew(connection, organization_id, id_)


async def pause(connection: Connection, organization_id: UUID, id_: UUID, note: str) -> None:
    """Pause a webhook; one that is paused keeps its note."""
    await connection.execute(
        "UPDATE webhooks SET paused_at = now(), note = $3 WHERE organization_id = $1 AND id = $2 AND paused_at IS NULL",
        organization_id,
        id_,
        note,
    )


async def resume(connection: Connection, organization_id: UUID, id_: UUID) -> None:
    """End the pause of a webhook, if there is one; what waits is sent at once."""
    resumed = await connection.fetchval(
        "UPDATE webhooks SET paused_at = NULL, note = '' WHERE organization_id = $1 AND id = $2"
        " AND paused_at IS NOT NULL RETURNING true",
        organization_id,
        id_,
    )
    if resumed:
        await _begin_anew(connection, organization_id, id_)


async def _begin_anew(connection: Connection, organization_id: UUID, id_: UUID) -> None:
    await connection.execute(
        "UPDATE webhooks SET failures = 0, failing_since = NULL, not_before = now()"
        " WHERE organization_id = $1 AND id = $2",
        organization_id,
        id_,
    )
    await connection.execute(_SEND_NOW, organization_id, id_)


async def replace_secret(
    connection: Connection, organization_id: UUID, id_: UUID, secret: bytes, keep_hours: int
) -> bool:
    """Give a webhook a new secret, encrypted; return whether there is such a webhook. Safe to repeat.

    Args:
        keep_hours: how long requests are signed with the secret before, too.
    """
    replaced = await connection.fetchval(
        "UPDATE webhooks SET secret = $3,"
        " previous_secret = CASE WHEN secret = $3 THEN previous_secret WHEN $4 > 0 THEN secret END,"
        " previous_until = CASE WHEN $4 > 0 THEN now() + make_interval(hours => $4) END"
        " WHERE organization_id = $1 AND id = $2 RETURNING true",
        organization_id,
        id_,
        secret,
        keep_hours,
    )
    return bool(replaced)


async def delete(connection: Connection, organization_id: UUID, id_: UUID) -> bool:
    """Delete a webhook with its deliveries; return whether there was one."""
    deleted = await connection.fetchval(
        "DELETE FROM webhooks WHERE organization_id = $1 AND id = $2 RETURNING true", organization_id, id_
    )
    return bool(deleted)
