"""Which sentences a search ranks, where an organization has more than are looked at."""

from __future__ import annotations

from uuid import UUID

import pytest

from server.storage import search_queries, search_words
from server.storage.pool import Connection, Database
from server.storage.search_filter import SearchFilter
from server.storage.search_newest import MeetingsByAge
from server.storage.search_words import WordHit
from tests.server.storage.searched_meetings import MEETINGS, searched_organization

ALL = SearchFilter()


@pytest.fixture
async def us(owner: Database, database: Database) -> UUID:
    """An organization with ``MEETINGS``."""
    return await searched_organization(owner, database)


async def found(
    database: Database, us: UUID, words: str, wanted: SearchFilter = ALL, looked_at: int = 3, most_alike: int = 2
) -> tuple[set[tuple[int, int]], list[WordHit]]:
    """The sentences that are found by (meeting, number), and their hits."""

    async def work(connection: Connection) -> tuple[set[tuple[int, int]], list[WordHit]]:
        queries = await search_queries.make_queries(connection, ["simple"], [("word", word) for word in words.split()])
        hits = await search_words.find_words(
            *(connection, us, queries, wanted, MeetingsByAge(connection, us, wanted)),
            looked_at=looked_at,
            looked_at_for_some=9,
            sentences=9,
            most_alike=most_alike,
            most=1000,
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


async def test_nothing_further_back_is_looked_at_where_enough_have_every_word(database: Database, us: UUID) -> None:
    # Of a fifth of nine sentences, the newest meeting: two have the word, so many as are ranked.
    places, hits = await found(database, us, "common", looked_at=9, most_alike=2)
    assert places == {(0, 0), (0, 1)}
    assert {hit.alike for hit in hits} == {9}
    # One has both words; where one is ranked that is enough, where two are it is not.
    places, _ = await found(database, us, "common other", looked_at=9, most_alike=1)
    assert places == {(0, 0), (0, 1)}
    places, _ = await found(database, us, "common other", looked_at=9, most_alike=2)
    assert {(0, 1), (1, 1), (2, 1)} <= places


async def test_a_filter_of_sentences_looks_further_back(database: Database, us: UUID) -> None:
    places, _ = await found(database, us, "common", SearchFilter(speaker="speaker 2"))
    assert places == {(0, 1), (2, 1)}


async def test_few_meetings_are_counted(database: Database, us: UUID) -> None:
    counted = await database.run(lambda c: search_queries.count_sentences(c, us), organization_id=us)
    assert (counted.meetings, counted.sentences) == (3, 9)


async def test_no_more_is_looked_at_than_tells_whether_a_word_is_common(owner: Database, database: Database) -> None:
    # A fifth of twenty, four, have it; so six are to be expected among eight at the most.
    meetings = [["common"]] * 8 + [["other"]] * 11
    us = await searched_organization(owner, database, meetings)
    places, hits = await found(database, us, "common", looked_at=20, most_alike=6)
    assert places == {(meeting, 0) for meeting in range(6)}
    # All of those that were looked at have it, so all of the nine that are said to be there.
    assert {hit.alike for hit in hits} == {9}
    # What none of the first four has is looked for by the index of words at once.
    places, hits = await found(database, us, "other", looked_at=20, most_alike=6)
    assert len(places) == 6
    assert {hit.alike for hit in hits} == {11}
