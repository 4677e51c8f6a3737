"""Audio that was analysed, by month (UTC), and by who sent it with which key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from server.storage.pool import Connection

# The months since the first of so many ago, this one included.
_SINCE = "(date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => $2::integer - 1))::date"


@dataclass(frozen=True, slots=True)
class MonthUse:
    """The audio of a month."""

    month: date
    """Its first day."""
    analyses: int
    audio_ms: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The audio that a user sent in a month, with one key or with tokens."""

    id: UUID
    month: date
    """Its first day."""
    created_at: datetime
    """The same as a moment: what entries are sorted by."""
    user_id: UUID | None
    email: str | None
    """None once the user was deleted."""
    key_id: UUID | None
    """None: tokens."""
    key_name: str | None
    """None once the key was revoked, and for tokens."""
    analyses: int
    audio_ms: int


async def count(
    connection: Connection,
    organization_id: UUID,
    user_id: UUID | None,
    key_id: UUID | None,
    *,
    analyses: int,
    audio_ms: int,
) -> None:
    """Count audio to this month.

    Args:
        analyses: how many more analyses it is that of.
    """
    await connection.execute(
        "INSERT INTO usage_months (organization_id, user_id, key_id, analyses, audio_ms) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (organization_id, month, user_id, key_id) DO UPDATE"
        " SET analyses = usage_months.analyses + excluded.analyses,"
        " audio_ms = usage_months.audio_ms + excluded.audio_ms",
        organization_id,
        user_id,
        key_id,
        analyses,
        audio_ms,
    )


async def list_months(connection: Connection, organization_id: UUID, months: int) -> list[MonthUse]:
    """Return the sums of an organization's last ``months`` months, the latest first; those without any are left out."""
    rows = await connection.fetch(
        "SELECT month, sum(analyses)::bigint AS analyses, sum(audio_ms)::bigint AS audio_ms FROM usage_months"  # noqa: S608 - ours
        f" WHERE organization_id = $1 AND month >= {_SINCE} GROUP BY month ORDER BY month DESC",
        organization_id,
        months,
    )
    return [MonthUse(**row) for row in rows]


async def list_page(
    connection: Connection, organization_id: UUID, months: int, size: int, after: tuple[datetime, UUID] | None
) -> list[KeyUse]:
    """Return up to ``size`` entries of the last ``months`` months, the latest first, after the key ``after``
    (created_at, id).
    """
    rows = await connection.fetch(
        "SELECT u.id, u.month, u.month::timestamp AT TIME ZONE 'UTC' AS created_at, u.user_id, users.email, u.key_id,"  # noqa: S608
        " k.name AS key_name, u.analyses, u.audio_ms FROM usage_months u"
        " LEFT JOIN users ON users.id = u.user_id AND users.organization_id = u.organization_id"
        " LEFT JOIN api_keys k ON k.id = u.key_id AND k.organization_id = u.organization_id"
        f" WHERE u.organization_id = $1 AND u.month >= {_SINCE}"
        " AND ($4::timestamptz IS NULL OR (u.month, u.id) < (($4 AT TIME ZONE 'UTC')::date, $5::uuid))"
        " ORDER BY u.month DESC, u.id DESC LIMIT $3",
        organization_id,
        months,
        size,
        *(after or (None, None)),
    )
    return [KeyUse(**row) for row in rows]
