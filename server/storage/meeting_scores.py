"""Stored scores of an organization's finished meetings, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.storage.meetings import stated_or_spoken
from server.storage.pool import Connection


@dataclass(frozen=True, slots=True)
class ScoresFilter:
    """Which finished meetings are read; what is None or empty selects all."""

    since: datetime | None = None
    """Held at this moment or later."""
    until: datetime | None = None
    """Held before this moment."""
    voice_id: UUID | None = None
    """With a speaker of this voice."""
    file_hashes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ScoredSpeaker:
    """A speaker of a meeting."""

    label: int
    id: UUID
    alias: str
    voice_id: UUID | None


@dataclass(frozen=True, slots=True)
class ScoredMeeting:
    """A finished meeting with its stored answers."""

    id: UUID
    file_hash: str
    name: str
    held_on: str | None
    held_at: datetime
    duration_ms: int | None
    language: str
    """The stated language, else the detected one; empty if unknown."""
    answers: dict[str, tuple[str, dict[str, Any]]]
    """Definition version and document of the wanted families, by name; one that is not stored is missing."""
    flow: dict[str, Any] | None
    """The flow of the report, without its balance over time; None if the report is not stored."""
    speakers: tuple[ScoredSpeaker, ...]


async def list_page(
    connection: Connection,
    organization_id: UUID,
    families: Sequence[str],
    wanted: ScoresFilter,
    size: int,
    after: tuple[datetime, UUID] | None,
) -> list[ScoredMeeting]:
    """Return up to ``size`` finished meetings that stay, latest held first, after the key ``after`` (held_at, id)."""
    values: list[object] = [organization_id, list(families), size]

    def place(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    # Conditions that are not wanted are left out, so that every plan reads the index from where the page begins.
    conditions = ""
    if after is not None:
        conditions += f" AND (m.held_at, m.id) < ({place(after[0])}, {place(after[1])}::uuid)"
    if wanted.since is not None:
        conditions += f" AND m.held_at >= {place(wanted.since)}"
    if wanted.until is not None:
        conditions += f" AND m.held_at < {place(wanted.until)}"
    if wanted.voice_id is not None:
        conditions += (
            " AND EXISTS (SELECT FROM speakers s WHERE s.organization_id = $1 AND s.meeting_id = m.id AND s.active"
            f" AND s.voice_id = {place(wanted.voice_id)})"
        )
    if wanted.file_hashes:
        conditions += f" AND m.file_hash = ANY ({place(list(wanted.file_hashes))}::text[])"
    rows = await connection.fetch(
        "SELECT m.id, m.file_hash, m.name, m.held_on, m.held_at, m.duration_ms,"  # noqa: S608 - our conditions
        " m.language, m.spoken_language,"
        " (SELECT coalesce(json_object_agg(i.family, json_build_array(i.definition_version, i.value)), '{}')"
        "    FROM insights i WHERE i.organization_id = $1 AND i.meeting_id = m.id AND i.family = ANY ($2)) AS answers,"
        " (SELECT (i.value -> 'flow') - 'balance_over_time' FROM insights i"
        "    WHERE i.organization_id = $1 AND i.meeting_id = m.id AND i.family = 'quality') AS flow,"
        " (SELECT coalesce(json_agg(json_build_array(s.label, s.id, s.alias, s.voice_id) ORDER BY s.label), '[]')"
        "    FROM speakers s WHERE s.organization_id = $1 AND s.meeting_id = m.id AND s.active) AS speakers"
        " FROM meetings m WHERE m.organization_id = $1 AND m.status = 'ready' AND m.delete_at IS NULL"
        f"{conditions} ORDER BY m.held_at DESC, m.id DESC LIMIT $3",
        *values,
    )
    return [_to_meeting(row) for row in rows]


def _to_meeting(row: Any) -> ScoredMeeting:
    plain = ("id", "file_hash", "name", "held_on", "held_at", "duration_ms", "flow")
    return ScoredMeeting(
        **{name: row[name] for name in plain},
        language=stated_or_spoken(row["language"], row["spoken_language"]),
        answers={family: (version, value) for family, (version, value) in row["answers"].items()},
        speakers=tuple(
            ScoredSpeaker(label, UUID(id_), alias, UUID(voice) if voice else None)
            for label, id_, alias, voice in row["speakers"]
        ),
    )
