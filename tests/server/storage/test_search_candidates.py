"""Which sentences a search ranks, where an organization has more than are looked at."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest

from server.storage import search, search_candidates, search_queries
from server.storage.pool import Connection, Database
from server.storage.search import SearchSentence
from server.storage.search_candidates import NewestMeetings, WordHit
from server.storage.search_filter import SearchFilter
from tests.server.storage.rows import make_user, ready_meeting

# By meeting, the newest first: the words of its sentences.
MEETINGS = (
    ("common", "common other", "common"),
    ("common", "other", "common seldom"),
    ("common", "common other seldom", "seldom"),
)
ALL = SearchFilter()


@pytest.fixture
async def us(owner: Database, database: Database) -> UUID:
    """An organization with ``MEETINGS``, a day between two of them; speaker 2 says every second sentence."""
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    for day, texts in enumerate(MEETINGS):
        meeting_id = await ready_meeting(database, user, f"{day:064x}")
        await run(
            lambda c, i=meeting_id, d=day: c.execute(  # type: ignore[misc]
                "UPDATE meetings SET held_on = $2, name = $3 WHERE id = $1", i, f"2026-03-{20 - d}", str(d)
            )
        )
        rows = [
            SearchSentence(n, 1 + n % 2, 0, 1, "en", "", "", text, "simple", text, "", b"")
            for n, text in enumerate(texts)
        ]
        await run(partial(_index, meeting_id=meeting_id, rows=rows))
    return user.organization_id


async def _index(connection: Connection, meeting_id: UUID, rows: list[SearchSentence]) -> None:
    organization_id = await connection.fetchval("SELECT current_organization()")
    await search.replace(connection, organization_id, meeting_id, 1, rows)


async def found(
    database: Database, us: UUID, words: str, wanted: SearchFilter = ALL, looked_at: int = 3, most_alike: int = 2
) -> tuple[set[tuple[int, int]], list[WordHit]]:
    """The sentences that are found by (meeting, number), and their hits."""

    async def work(connection: Connection) -> tuple[set[tuple[int, int]], list[WordHit]]:
        queries = await search_queries.make_queries(connection, ["simple"], [("word", word) for word in words.split()])
        newest = await search_candidates.find_newest(connection, us, wanted, 1000)
        hits = await search_candidates.find_words(
            connection, us, queries, wanted, newest, looked_at, sentences=9, most_alike=most_alike, most=1000
        )
        names = {row["id"]: int(row["name"]) for row in await connection.fetch("SELECT id, name FROM meetings")}
        assert len({(hit.meeting_id, hit.number) for hit in hits}) == len(hits)
        return {(names[hit.meeting_id], hit.number) for hit in hits}, hits

    return await database.run(work, organization_id=us)


async def test_what_is_looked_at_whole_is_found_whole(database: Database, us: UUID) -> None:
    places, hits = await found(database, us, "common other", looked_at=9, most_alike=9)
    assert places == {
        (meeting, number)
        for meeting, texts in enumerate(MEETINGS)
        for number, text in enumerate(texts)
        if {"common", "other"} & set(text.split())
    }
    assert {hit.hits: hit.alike for hit in hits} == {0b01: 5, 0b10: 1, 0b11: 2}


async def test_a_common_word_is_looked_for_in_the_newest_sentences_alone(database: Database, us: UUID) -> None:
    places, hits = await found(database, us, "common")
    assert places == {(0, 0), (0, 1)}
    # Three of the three that were looked at have it, so nine of all nine.
    assert {hit.alike for hit in hits} == {9}


async def test_a_word_that_few_have_is_looked_for_everywhere(database: Database, us: UUID) -> None:
    assert (await found(database, us, "seldom"))[0] == {(1, 2), (2, 1)}
    places, _ = await found(database, us, "seldom", most_alike=9)
    assert places == {(1, 2), (2, 1), (2, 2)}
    places, hits = await found(database, us, "common seldom", most_alike=3)
    # With a rare word, or among the newest.
    assert places == {(0, 0), (0, 1), (0, 2), (1, 2), (2, 1), (2, 2)}
    assert {hit.hits: hit.alike for hit in hits} == {0b01: 9, 0b10: 1, 0b11: 2}


async def test_common_words_are_looked_for_everywhere_where_they_stand_together(database: Database, us: UUID) -> None:
    places, _ = await found(database, us, "other seldom", looked_at=6, most_alike=1)
    # None of the newest six has both.
    assert (2, 1) in places
    assert (2, 2) not in places


async def test_a_filter_of_sentences_looks_further_back(database: Database, us: UUID) -> None:
    places, _ = await found(database, us, "common", SearchFilter(speaker="speaker 2"))
    assert places == {(0, 1), (2, 1)}


async def test_the_newest_meetings_reach_so_far(database: Database, us: UUID) -> None:
    async def newest(most: int, wanted: SearchFilter = ALL) -> NewestMeetings:
        return await database.run(lambda c: search_candidates.find_newest(c, us, wanted, most), organization_id=us)

    everything = await newest(9)
    assert (everything.sentences, everything.are_all, everything.since) == (9, True, None)
    two = await newest(8)
    assert (two.sentences, two.are_all, f"{two.since:%d}") == (6, False, "19")
    assert two.ids == everything.ids[:2]
    # At least one, however long it is.
    assert (await newest(1)).ids == everything.ids[:1]
    assert (await newest(9, SearchFilter(file_hash=f"{1:064x}"))).ids == everything.ids[1:2]


async def test_few_meetings_are_counted(database: Database, us: UUID) -> None:
    assert await database.run(lambda c: search_queries.count_sentences(c, us), organization_id=us) == 9
