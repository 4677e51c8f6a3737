"""How far back a search looks."""

from __future__ import annotations

from uuid import UUID

import pytest

from server.storage import MeetingsByAge, search_newest
from server.storage.pool import Connection, Database
from server.storage.search_filter import SearchFilter
from server.storage.search_newest import NewestMeetings
from tests.server.storage.searched_meetings import searched_organization

ALL = SearchFilter()


@pytest.fixture
async def us(owner: Database, database: Database) -> UUID:
    """An organization with three meetings of three sentences."""
    return await searched_organization(owner, database)


async def test_the_newest_meetings_reach_so_far(database: Database, us: UUID) -> None:
    async def newest(most: int, wanted: SearchFilter = ALL) -> NewestMeetings:
        return await database.run(lambda c: MeetingsByAge(c, us, wanted).newest(most), organization_id=us)

    everything = await newest(9)
    assert (everything.sentences, everything.are_all, everything.since) == (9, True, None)
    two = await newest(8)
    assert (two.sentences, two.are_all, f"{two.since:%d}") == (6, False, "19")
    assert two.ids == everything.ids[:2]
    # At least one, however long it is.
    assert (await newest(1)).ids == everything.ids[:1]
    assert (await newest(9, SearchFilter(file_hash=f"{1:064x}"))).ids == everything.ids[1:2]


async def test_meetings_are_read_page_by_page(database: Database, us: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_FIRST_PAGE", "_LEAST_PAGE", "_MOST_PAGE"):
        monkeypatch.setattr(search_newest, name, 1)

    async def read(connection: Connection) -> list[NewestMeetings]:
        meetings = MeetingsByAge(connection, us, ALL)
        return [await meetings.newest(most) for most in (3, 6, 100)]

    one, two, everything = await database.run(read, organization_id=us)
    assert [len(found.meetings) for found in (one, two, everything)] == [1, 2, 3]
    assert everything.ids[:2] == two.ids
    assert (two.are_all, everything.are_all) == (False, True)
