"""Which sentences are closest in meaning: by all vectors, and by sketches first."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from server.storage import Meant, MeetingsByAge, search_meaning, search_queries
from server.storage.pool import Connection, Database
from server.storage.search_filter import SearchFilter
from server.storage.search_meaning import Closest
from tests.server.storage.searched_meetings import searched_organization

ALL = SearchFilter()
# Two meetings of thirty sentences.
VECTORS = np.random.default_rng(0).standard_normal((2, 30, 64))
VECTORS /= np.linalg.norm(VECTORS, axis=2, keepdims=True)
QUERY = 1.2 * VECTORS[0, 3] + VECTORS[1, 4]


@pytest.fixture
async def us(owner: Database, database: Database) -> UUID:
    """An organization with meetings of these vectors."""
    vectors = [[vector.astype("<f2").tobytes() for vector in meeting] for meeting in VECTORS]
    return await searched_organization(owner, database, [["word"] * 30] * 2, vectors)


async def closest(database: Database, us: UUID, most: int, max_exact: int, wanted: SearchFilter = ALL) -> list[str]:
    """The closest sentences: meeting and number."""
    return (await closest_of(database, us, most, max_exact, wanted))[0]


async def closest_of(
    database: Database, us: UUID, most: int, max_exact: int, wanted: SearchFilter = ALL, compared: int = 1000
) -> tuple[list[str], Closest]:
    """The same, and where they were looked for."""

    async def work(connection: Connection) -> tuple[list[str], Closest]:
        meetings, meant = MeetingsByAge(connection, us, wanted), Meant("model", tuple(QUERY.tolist()))
        indexed = await search_queries.count_sentences(connection, us)
        found = await search_meaning.find_meaning(
            connection, us, ["simple"], wanted, meant, meetings, indexed, compared, most, max_exact=max_exact
        )
        names = {row["id"]: row["name"] for row in await connection.fetch("SELECT id, name FROM meetings")}
        return [f"{names[meeting_id]} {number}" for meeting_id, number in found.keys], found

    return await database.run(work, organization_id=us)


def by_cosine(most: int) -> list[str]:
    order = np.argsort(-(VECTORS.reshape(60, 64) @ QUERY))
    return [f"{place // 30} {place % 30}" for place in order[:most]]


async def test_sketches_first_find_what_vectors_alone_find(database: Database, us: UUID) -> None:
    exact = await closest(database, us, 10, max_exact=60)
    assert exact == by_cosine(10)
    # All sentences are so near that their vectors are compared after their sketches.
    assert await closest(database, us, 10, max_exact=0) == exact


async def test_of_many_the_nearest_sketches_are_compared(
    database: Database, us: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_meaning, "MAX_NEAR", 6)
    differing = (np.sign(VECTORS.reshape(60, 64)) != np.sign(QUERY)).sum(axis=1)
    near = np.lexsort((np.arange(60), differing))[:6]
    found = await closest(database, us, 2, max_exact=0)
    # Those that the query is made of are nearest by either.
    assert sorted(found) == sorted(by_cosine(2)) == ["0 3", "1 4"]
    assert {3, 34} <= set(near.tolist())


async def test_the_newest_meetings_are_compared_up_to_so_many_sentences_and_meetings(
    owner: Database, database: Database, us: UUID
) -> None:
    newest = [one for one in by_cosine(60) if one.startswith("0 ")]
    for max_exact in (60, 0):
        # The newest meeting at least, and no other that is not compared whole.
        for compared in (10, 59):
            found, closest_ = await closest_of(database, us, 60, max_exact, compared=compared)
            assert found == newest
            assert closest_.compared == 30
            assert f"{closest_.since}" == "2026-03-20 00:00:00+00:00"
        found, closest_ = await closest_of(database, us, 60, max_exact, compared=60)
        assert (found, closest_.compared, closest_.since) == (by_cosine(60), 60, None)
    # One that is not in the index yet has no sentences.
    await owner.run(lambda c: c.execute("UPDATE meetings SET held_on = '2026-03-10' WHERE name = '0'"))
    await owner.run(
        lambda c: c.execute("DELETE FROM search_meetings WHERE meeting_id = (SELECT id FROM meetings WHERE name = '1')")
    )
    found, closest_ = await closest_of(database, us, 60, 0)
    assert (found, closest_.compared, closest_.since) == (newest, 30, None)


async def test_no_more_meetings_are_read_than_so_many(
    database: Database, us: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_meaning, "_LEAST_MEETINGS", 1)
    found, closest_ = await closest_of(database, us, 60, 0, compared=60)
    assert (found, closest_.since) == (by_cosine(60), None)
    monkeypatch.setattr(search_meaning, "MAX_MEETINGS", 1)
    found, closest_ = await closest_of(database, us, 60, 0, compared=60)
    assert closest_.compared == len(found) == 30
    assert closest_.since is not None


async def test_where_only_some_sentences_are_wanted_all_of_these_are_compared(database: Database, us: UUID) -> None:
    found = await closest(database, us, 100, 0, SearchFilter(language="en", required=("'word'",)))
    assert found == by_cosine(60)
    assert await closest(database, us, 100, 0, SearchFilter(language="de")) == []


async def test_meetings_that_an_earlier_version_indexed_are_compared_by_their_vectors(
    owner: Database, database: Database, us: UUID
) -> None:
    exact = by_cosine(10)
    # As it wrote them: without sketches, or over those of other sentences.
    without = "UPDATE search_meetings SET version = 1, numbers = NULL, sketches = NULL, model = NULL WHERE {}"
    of_others = "UPDATE search_meetings SET version = 1, numbers = '{{0}}', sketches = ARRAY[B'1'] WHERE {}"
    newest = "meeting_id = (SELECT id FROM meetings WHERE name = '0')"
    for statement in (without.format(newest), of_others.format("true")):
        await owner.run(lambda c, s=statement: c.execute(s))  # type: ignore[misc]
        assert await closest(database, us, 10, max_exact=0) == exact


async def test_vectors_of_another_model_are_not_compared(owner: Database, database: Database, us: UUID) -> None:
    await owner.run(lambda c: c.execute("UPDATE search_sentences SET model = 'other'"))
    assert await closest(database, us, 10, max_exact=60) == []
    assert await closest(database, us, 10, max_exact=0) == []
    await owner.run(lambda c: c.execute("UPDATE search_meetings SET model = 'other'"))
    assert await closest(database, us, 10, max_exact=0) == []
