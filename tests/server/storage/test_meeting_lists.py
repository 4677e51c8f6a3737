"""Lists of meetings in a real database: what is selected, in which order, page by page."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from server.storage import deletions, live, meeting_lists, meetings, speakers
from server.storage.meeting_lists import ListedMeeting, MeetingFilter, MeetingOrder, SortKey
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from server.storage.users import User
from tests.server.storage.rows import HASH, make_user, new_live_meeting, new_meeting, ready_meeting


async def add(database: Database, user: User, number: int, name: str, held_on: str | None = None) -> None:
    new = replace(new_meeting(user, f"{number:064x}", name), held_on=held_on)
    await database.run(lambda c: meetings.accept(c, new), organization_id=user.organization_id)


async def names(
    database: Database, user: User, wanted: MeetingFilter | None = None, order: MeetingOrder | None = None
) -> list[str]:
    """Names of the meetings, asked for two by two."""
    found: list[ListedMeeting] = []
    after: tuple[SortKey, UUID] | None = None
    while True:
        page = await database.run(
            lambda c, a=after: meeting_lists.list_page(c, user.organization_id, 2, a, wanted, order),  # type: ignore[misc]
            organization_id=user.organization_id,
        )
        found += page
        if len(page) < 2:
            return [meeting.name for meeting in found]
        after = page[-1].sort_key, page[-1].id


async def test_a_meeting_without_a_date_took_place_when_it_was_uploaded(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await add(database, user, 1, "m")
    assert await owner.run(lambda c: c.fetchval("SELECT held_at = created_at FROM meetings"))
    await owner.run(lambda c: c.execute("UPDATE meetings SET held_on = '2020-01-01'"))
    assert await owner.run(lambda c: c.fetchval("SELECT held_at FROM meetings")) == datetime(2020, 1, 1, tzinfo=UTC)


async def test_the_order_is_the_same_over_all_pages(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    dates = ("2026-03-01", None, "2019-W01", "2026-03-01", "2021-200")
    for number, (name, held_on) in enumerate(zip(("b", "Ä", "C", "a", "ä"), dates, strict=True)):
        await add(database, user, number, name, held_on)
    await owner.run(lambda c: c.execute("UPDATE meetings SET duration_ms = ascii(name)"))
    assert await names(database, user) == ["ä", "a", "C", "Ä", "b"]
    assert await names(database, user, order=MeetingOrder("created_at", descending=False)) == ["b", "Ä", "C", "a", "ä"]
    by_name = await names(database, user, order=MeetingOrder("name", descending=False))
    assert [name.lower() for name in by_name] == ["a", "b", "c", "ä", "ä"]
    by_date = await names(database, user, order=MeetingOrder("date"))
    assert (by_date[0], set(by_date[1:3]), by_date[3:]) == ("Ä", {"a", "b"}, ["ä", "C"])
    assert await names(database, user, order=MeetingOrder("duration")) == ["ä", "Ä", "b", "a", "C"]
    assert len(await names(database, user, order=MeetingOrder("status"))) == 5


async def test_every_word_is_in_the_name_or_in_that_of_a_speaker(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, HASH)
    await owner.run(lambda c: c.execute("UPDATE meetings SET name = 'Weekly Ünder Construction'"))
    await owner.run(lambda c: c.execute("UPDATE speakers SET alias = 'Zoë Ångström' WHERE label = 1"))
    await owner.run(lambda c: c.execute("UPDATE speakers SET alias = 'Gone', active = false WHERE label = 2"))
    await add(database, user, 1, "100 % of_it")
    for words, found in (
        (("weekly",), True),
        (("ÜNDER", "zoë"), True),
        (("ÅNGS",), True),
        (("ｗｅｅｋｌｙ",), True),
        (("weekly", "other"), False),
        (("gone",), False),
        (("week%",), False),
    ):
        assert ("Weekly Ünder Construction" in await names(database, user, MeetingFilter(words))) is found, words
    assert await names(database, user, MeetingFilter(("%",))) == ["100 % of_it"]
    assert await names(database, user, MeetingFilter(person="ångström")) == ["Weekly Ünder Construction"]
    assert await names(database, user, MeetingFilter(person="weekly")) == []


async def test_conditions_hold_together(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    for number, held_on in enumerate(("2026-01-01", "2026-02-01", "2026-03-01")):
        await add(database, user, number, held_on, held_on)
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed' WHERE name = '2026-02-01'"))
    february, march = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert await names(database, user, MeetingFilter(held_from=february)) == ["2026-03-01", "2026-02-01"]
    assert await names(database, user, MeetingFilter(held_from=february, held_before=march)) == ["2026-02-01"]
    assert await names(database, user, MeetingFilter(statuses=("failed", "ready"))) == ["2026-02-01"]
    assert await names(database, user, MeetingFilter(statuses=("queued",), held_before=february)) == ["2026-01-01"]


async def test_it_shows_people_progress_and_the_deletion_that_waits(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, HASH, labels=range(1, 31))
    row = new_live_meeting(user)
    create = live.create
    await database.run(
        lambda c: create(c, row, name="Live", held_on=None, n_speakers=None, language="de"),
        organization_id=user.organization_id,
    )
    await database.run(
        lambda c: deletions.wait_for(c, user.organization_id, HASH, user.id, timedelta(minutes=1)),
        organization_id=user.organization_id,
    )
    running, ready = await database.run(
        lambda c: meeting_lists.list_page(c, user.organization_id, 10), organization_id=user.organization_id
    )
    assert (running.is_live, running.language, running.delete_at, running.people) == (True, "de", None, ())
    assert (ready.is_live, ready.language, ready.stage, ready.progress_percent) == (False, "en", "done", 100)
    assert ready.speakers == 30
    assert ready.people == tuple(f"Speaker {number}" for number in range(1, 21))
    assert ready.delete_at is not None


async def test_only_the_organization_s_own_are_found(owner: Database, database: Database) -> None:
    ours, theirs = [await make_user(owner, name) for name in ("Ours", "Theirs")]
    await add(database, ours, 1, "ours")
    await add(database, theirs, 1, "theirs")
    for order in (MeetingOrder(sort) for sort in meeting_lists.SORTS):
        assert await names(database, ours, MeetingFilter(("s",)), order) == ["ours"]


async def test_a_deletion_that_waits_names_who_requested_it(owner: Database, database: Database) -> None:
    await add(database, await make_user(owner), 1, "m")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.run(lambda c: c.execute("UPDATE meetings SET delete_at = now()"))


async def test_names_are_searched_as_they_are_now(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    id_ = await ready_meeting(database, user, HASH, labels=(1, 2, 3))
    run = partial(database.run, organization_id=user.organization_id)

    async def kept() -> tuple[str, str]:
        rows = await run(lambda c: c.fetch("SELECT name, people FROM meeting_names WHERE meeting_id = $1", id_))
        return rows[0]["name"], rows[0]["people"]

    assert await kept() == ("m", "speaker 1\nspeaker 2\nspeaker 3")
    # At the same time: the one that comes second knows what the first has done.
    both = [run(lambda c, n=n: speakers.rename(c, speaker_id(id_, n), f"Zoë {n}")) for n in (1, 2)]  # type: ignore[misc]
    assert await asyncio.gather(*both) == [True, True]
    await run(lambda c: c.execute("UPDATE meetings SET name = 'ÄRGER', message = 'Renamed'"))
    assert await kept() == ("ärger", "zoë 1\nzoë 2\nspeaker 3")
    await run(lambda c: speakers.activate(c, id_, [2, 3, 4]))
    assert await kept() == ("ärger", "zoë 2\nspeaker 3\nspeaker 4")
    await run(lambda c: c.execute("DELETE FROM speakers WHERE label = 3"))
    assert await kept() == ("ärger", "zoë 2\nspeaker 4")
    assert await names(database, user, MeetingFilter(("ärger",), "oë 2")) == ["ÄRGER"]
    await run(lambda c: meetings.delete(c, user.organization_id, HASH))
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meeting_names")) == 0


async def test_the_index_of_names_finds_what_a_look_at_each_finds(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    letters = random.Random(0)

    def text(longest: int) -> str:
        # Few letters, so that many names have them, and some of which one becomes several.
        return "".join(letters.choices("aAbÄßﬁ猫字 %'", k=letters.randint(1, longest)))

    for number in range(60):
        await add(database, user, number, text(8))
    for label in (1, 2):
        await owner.run(
            lambda c, n=label: c.executemany(  # type: ignore[misc]
                "INSERT INTO speakers (id, meeting_id, organization_id, label, alias, active)"
                " SELECT gen_random_uuid(), id, organization_id, $1, $2, $3 FROM meetings WHERE file_hash = $4",
                [(n, text(6), letters.random() < 0.8, f"{number:064x}") for number in range(60)],
            )
        )
    by_index = "SELECT array_agg(i ORDER BY i) FROM meetings_with_names($1::text[], $2::text) i"
    in_alias = (
        "EXISTS (SELECT FROM speakers s WHERE s.meeting_id = m.id AND s.active"
        " AND strpos(folded(s.alias), folded({})) > 0)"
    )
    one_by_one = (
        "SELECT array_agg(m.id ORDER BY m.id) FROM meetings m WHERE (SELECT bool_and("
        f"strpos(folded(m.name), folded(w)) > 0 OR {in_alias.format('w')}) FROM unnest($1::text[]) w) IS NOT FALSE"
        f" AND ($2 = '' OR {in_alias.format('$2::text')})"
    )
    found = 0
    for _ in range(60):
        wanted = [text(4) for _ in range(letters.randint(0, 2))], text(3) if letters.random() < 0.5 else ""
        expected, answered = [
            await database.run(lambda c, q=sql, w=wanted: c.fetchval(q, *w), organization_id=user.organization_id)  # type: ignore[misc]
            for sql in (one_by_one, by_index)
        ]
        if wanted != ([], ""):
            assert answered == expected, wanted
            found += expected is not None
    assert found > 15
