"""Quotas of organizations, and what they use of them. Days are those of UTC, by the database's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from server.quotas import Quotas, Use
from server.storage import usage
from server.storage.pool import Connection, ReferenceDeleted

_USE = """
SELECT o.name, coalesce(o.upload_bytes_per_day, $1) AS upload_bytes_per_day,
       coalesce(o.minutes_per_day, $2) AS minutes_per_day, coalesce(o.stored_bytes, $3) AS stored_bytes,
       coalesce(o.uploads_at_once, $4) AS uploads_at_once, coalesce(d.upload_bytes, 0) AS uploaded,
       coalesce(d.analysed_ms, 0) AS analysed_ms,
       (SELECT coalesce(sum(m.size_bytes), 0)::bigint FROM meetings m WHERE m.organization_id = o.id) AS stored,
       (SELECT count(*) FROM meetings m WHERE m.organization_id = o.id) AS meetings,
       greatest(1, ceil(extract(epoch FROM
           date_trunc('day', now(), 'UTC') + interval '1 day' - now())))::integer AS day_ends_in_s
  FROM organizations o
  LEFT JOIN organization_days d ON d.organization_id = o.id AND d.day = (now() AT TIME ZONE 'UTC')::date
"""
_QUOTAS = ("upload_bytes_per_day", "minutes_per_day", "stored_bytes", "uploads_at_once")


@dataclass(frozen=True, slots=True)
class OrganizationUse:
    """An organization as its operator sees it."""

    name: str
    meetings: int
    use: Use


async def find_use(connection: Connection, organization_id: UUID, defaults: Quotas) -> Use:
    """Return an organization's use and quotas, ``defaults`` where it has none of its own. Raises ReferenceDeleted."""
    row = await connection.fetchrow(_USE + " WHERE o.id = $5", *asdict(defaults).values(), organization_id)
    if row is None:
        raise ReferenceDeleted("organization")
    return _to_use(row)


async def list_all(connection: Connection, defaults: Quotas) -> list[OrganizationUse]:
    """Return all organizations by name; for the owner of the tables."""
    rows = await connection.fetch(_USE + " ORDER BY o.name", *asdict(defaults).values())
    return [OrganizationUse(row["name"], row["meetings"], _to_use(row)) for row in rows]


async def override(connection: Connection, organization: str, quotas: Mapping[str, int | None]) -> bool:
    """Set quotas of an organization, by name; return False if there is no such organization.

    Args:
        quotas: by field of ``Quotas``; None for the server's setting.
    """
    assert set(quotas) <= set(_QUOTAS)
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(quotas, start=2))
    changed = await connection.execute(
        f"UPDATE organizations SET {assignments} WHERE name = $1",  # noqa: S608 - names of our own columns
        organization,
        *quotas.values(),
    )
    return bool(changed != "UPDATE 0")


async def count_upload(connection: Connection, organization_id: UUID, size_bytes: int) -> None:
    """Count received bytes to the day."""
    await connection.execute(
        "INSERT INTO organization_days (organization_id, upload_bytes) VALUES ($1, $2)"
        " ON CONFLICT (organization_id, day) DO UPDATE"
        " SET upload_bytes = organization_days.upload_bytes + excluded.upload_bytes",
        organization_id,
        size_bytes,
    )


async def count_audio(connection: Connection, organization_id: UUID, file_hash: str, audio_ms: int) -> int | None:
    """Count a meeting's audio to the day and the month, as far as it was not counted before.

    Serialises with other meetings of the organization until the transaction ends. Returns the day's sum, milliseconds;
    None if all of it was counted before.

    Args:
        audio_ms: all of the meeting's audio, milliseconds.
    """
    counted = await connection.fetchrow(
        "WITH before AS (SELECT id, counted_ms FROM meetings"
        " WHERE organization_id = $1 AND file_hash = $2 AND counted_ms < $3 FOR UPDATE)"
        " UPDATE meetings m SET counted_ms = $3 FROM before WHERE m.id = before.id"
        " RETURNING m.counted_ms - before.counted_ms AS more_ms, before.counted_ms = 0 AS first, m.user_id, m.key_id",
        organization_id,
        file_hash,
        audio_ms,
    )
    if counted is None:
        return None
    more_ms = counted["more_ms"]
    today: int = await connection.fetchval(
        "INSERT INTO organization_days (organization_id, analysed_ms) VALUES ($1, $2)"
        " ON CONFLICT (organization_id, day) DO UPDATE"
        " SET analysed_ms = organization_days.analysed_ms + excluded.analysed_ms RETURNING analysed_ms",
        organization_id,
        more_ms,
    )
    await usage.count(
        connection,
        organization_id,
        counted["user_id"],
        counted["key_id"],
        analyses=int(counted["first"]),
        audio_ms=more_ms,
    )
    return today


def _to_use(row: Any) -> Use:
    return Use(
        Quotas(*(row[name] for name in _QUOTAS)),
        row["uploaded"],
        row["analysed_ms"],
        row["stored"],
        row["day_ends_in_s"],
    )
