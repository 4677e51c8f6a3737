"""Stored scores of an organization's meetings in a real database: in the order in which the meetings were held."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.meetings.dates import validate_date
from server.storage import meeting_scores, meetings, voices
from server.storage.meeting_scores import ScoredMeeting, ScoresFilter
from server.storage.pool import Database
from server.storage.users import User
from server.storage.voices import VoiceRow
from tests.server.storage.rows import make_user, new_meeting, queued_meeting, ready_meeting

ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "balance": ("1", {"score": 50}),
    "transcript": ("3", {"text": "secret"}),
    "quality": ("2", {"flow": {"silence_ms": 7, "balance_over_time": [1, 2]}, "summaries": "secret"}),
}


async def held(database: Database, user: User, file_hash: str, held_on: str | None) -> UUID:
    """Store a ready meeting that was held then."""
    id_ = await ready_meeting(database, user, file_hash, answers=ANSWERS)
    await database.run(
        lambda c: c.execute("UPDATE meetings SET held_on = $2 WHERE id = $1", id_, held_on),
        organization_id=user.organization_id,
    )
    return id_


async def listed(
    database: Database,
    user: User,
    wanted: ScoresFilter,
    size: int = 10,
    after: tuple[datetime, UUID] | None = None,
) -> list[ScoredMeeting]:
    return await database.run(
        lambda c: meeting_scores.list_page(c, user.organization_id, ("balance", "energy"), wanted, size, after),
        organization_id=user.organization_id,
    )


@pytest.mark.parametrize(
    ("stated", "moment"),
    [
        pytest.param("2026-11-23", "2026-11-23T00:00:00+00:00", id="calendar"),
        pytest.param("20261123T14", "2026-11-23T14:00:00+00:00", id="basic"),
        pytest.param("2026-W48-1", "2026-11-23T00:00:00+00:00", id="week and day"),
        pytest.param("2020W53", "2020-12-28T00:00:00+00:00", id="week 53"),
        pytest.param("2026-W01-1", "2025-12-29T00:00:00+00:00", id="first week"),
        pytest.param("2026-327", "2026-11-23T00:00:00+00:00", id="ordinal"),
        pytest.param("2024366", "2024-12-31T00:00:00+00:00", id="ordinal of a leap year"),
        pytest.param("2026-11-23T14:05:06.123456789+05:30", "2026-11-23T08:35:06.123456+00:00", id="zone"),
        pytest.param("2026-11-23 14:05-0800", "2026-11-23T22:05:00+00:00", id="basic zone"),
        pytest.param("2026-11-23t14:05,5z", None, id="fraction of a minute"),
        pytest.param("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00+00:00", id="before the first year"),
        pytest.param("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59+00:00", id="after the last year"),
    ],
)
async def test_a_date_is_a_moment(owner: Database, stated: str, moment: str | None) -> None:
    found = await owner.run(lambda c: c.fetchval("SELECT moment_of_date($1)", stated))
    assert found == (moment and datetime.fromisoformat(moment))
    if moment is not None:
        assert validate_date(stated) == stated


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-02-30", "2026", "2026-11-23T"])
async def test_what_is_no_date_has_no_moment(owner: Database, text: str) -> None:
    assert await owner.run(lambda c: c.fetchval("SELECT moment_of_date($1)", text)) is None


async def test_meetings_come_in_the_order_in_which_they_were_held(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    for letter, held_on in (("a", "2031-01-02"), ("b", None), ("c", "2020-W01-1T10:00+01:00")):
        await held(database, user, letter * 64, held_on)
    found = await listed(database, user, ScoresFilter())
    assert [meeting.file_hash[0] for meeting in found] == ["a", "b", "c"]
    assert found[2].held_at == datetime(2019, 12, 30, 9, tzinfo=UTC)
    pages: list[str] = []
    after = None
    for _ in range(3):
        (meeting,) = await listed(database, user, ScoresFilter(), 1, after)
        pages, after = [*pages, meeting.file_hash[0]], (meeting.held_at, meeting.id)
    assert pages == ["a", "b", "c"]
    assert await listed(database, user, ScoresFilter(), 1, after) == []


async def test_only_what_is_wanted_is_listed(owner: Database, database: Database) -> None:
    user, stranger = await make_user(owner), await make_user(owner, "Elsewhere")
    first = await held(database, user, "a" * 64, "2026-01-01")
    await held(database, user, "b" * 64, "2026-01-02")
    await held(database, stranger, "c" * 64, "2026-01-01")
    await queued_meeting(database, user, "d" * 64)
    run = partial(database.run, organization_id=user.organization_id)
    voice = VoiceRow(uuid4(), "Ada", b"", 1)
    await run(lambda c: voices.store(c, user.organization_id, "model", voice))
    speaker = (await listed(database, user, ScoresFilter(file_hashes=("a" * 64,))))[0].speakers[0]
    await run(lambda c: voices.link_speakers(c, [(speaker.id, voice.id)]))

    async def names(wanted: ScoresFilter) -> str:
        return "".join(meeting.file_hash[0] for meeting in await listed(database, user, wanted))

    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert await names(ScoresFilter()) == "ba"
    assert await names(ScoresFilter(since=noon)) == "b"
    assert await names(ScoresFilter(until=noon)) == "a"
    assert await names(ScoresFilter(voice_id=voice.id)) == "a"
    assert await names(ScoresFilter(voice_id=uuid4())) == ""
    assert await names(ScoresFilter(file_hashes=("a" * 64, "c" * 64, "d" * 64))) == "a"

    (found,) = await listed(database, user, ScoresFilter(voice_id=voice.id))
    assert found.id == first
    assert found.answers == {"balance": ("1", {"score": 50})}
    assert found.flow == {"silence_ms": 7}
    assert [(s.label, s.alias, s.voice_id) for s in found.speakers] == [
        (1, "Speaker 1", voice.id),
        (2, "Speaker 2", None),
    ]
    assert (found.duration_ms, found.language) == (60_000, "en")

    waits = "UPDATE meetings SET delete_at = now(), delete_user_id = $1 WHERE id = $2"
    await run(lambda c: c.execute(waits, user.id, first))
    assert await names(ScoresFilter()) == "b"
    stays = "UPDATE meetings SET delete_at = NULL, delete_user_id = NULL WHERE id = $1"
    await run(lambda c: c.execute(stays, first))
    assert await names(ScoresFilter()) == "ba"

    await run(lambda c: voices.set_recognition(c, user.organization_id, False))
    assert await names(ScoresFilter(voice_id=voice.id)) == ""


async def test_a_new_date_moves_a_meeting(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    new = replace(new_meeting(user), held_on="2026-11-23")
    run = partial(database.run, organization_id=user.organization_id)
    await run(lambda c: meetings.accept(c, new))

    async def held_at() -> datetime:
        found: datetime = await run(lambda c: c.fetchval("SELECT held_at FROM meetings"))
        return found

    assert await held_at() == datetime(2026, 11, 23, tzinfo=UTC)
    await run(lambda c: c.execute("UPDATE meetings SET held_on = '2026-11-24'"))
    assert await held_at() == datetime(2026, 11, 24, tzinfo=UTC)
    created_at = await run(lambda c: c.fetchval("UPDATE meetings SET held_on = NULL RETURNING created_at"))
    assert await held_at() == created_at
