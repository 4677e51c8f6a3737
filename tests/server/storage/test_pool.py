"""What a row refers to may be deleted between two statements: that is told apart from every other fault."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from cli.free_port import free_port
from server.storage import speakers, voices
from server.storage.pool import Connection, Database, DatabaseFull, ReferenceDeleted
from tests.databases import end_checks
from tests.server.storage.test_jobs import file_meeting, take

NOBODY = UUID(int=1)


async def test_it_is_named_by_the_foreign_key(owner: Database, database: Database) -> None:
    organization_id = await file_meeting(owner, database)
    job = await take(database)
    assert job is not None
    rows = {
        "user": (
            "INSERT INTO speaker_edits (meeting_id, number, document, user_id) VALUES ($1, 1, '{}', $2)",
            [job.meeting_id, NOBODY],
        ),
        "organization": (
            "INSERT INTO users (id, organization_id, email, password_hash) VALUES ($1, $2, 'b@example.org', 'x')",
            [uuid4(), NOBODY],
        ),
        "meeting": ("INSERT INTO conversations (meeting_id, document) VALUES ($1, '{}')", [NOBODY]),
    }
    for what, (statement, values) in rows.items():
        with pytest.raises(ReferenceDeleted) as raised:
            await owner.run(
                lambda c, s=statement, v=values: c.execute(s, *v),  # type: ignore[misc]
                organization_id=organization_id,
            )
        assert raised.value.entity == what
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM users")) == 1


async def test_an_organization_that_asks_much_at_once_leaves_connections_to_others(database: Database) -> None:
    greedy, other, held, go_on = UUID(int=1), UUID(int=2), list[int](), asyncio.Event()

    async def hold(_: Connection) -> None:
        held.append(1)
        await go_on.wait()

    asked = [asyncio.create_task(database.run(hold, organization_id=greedy)) for _ in range(40)]
    # Each of these needs a connection, while the organization has all that it may have.
    for _ in range(3):
        assert await database.run(lambda c: c.fetchval("SELECT 1"), organization_id=other) == 1
        assert await database.run(lambda c: c.fetchval("SELECT 1")) == 1
    assert 1 <= len(held) <= 8
    go_on.set()
    await asyncio.gather(*asked)
    assert len(held) == 40


async def test_settings_of_an_organization_that_is_gone_are_not_kept(database: Database) -> None:
    with pytest.raises(ReferenceDeleted) as raised:
        await database.run(lambda c: voices.set_recognition(c, NOBODY, True), organization_id=NOBODY)
    assert raised.value.entity == "organization"


async def test_a_speaker_who_is_gone_is_not_renamed_and_has_no_conversation(database: Database) -> None:
    assert not await database.run(lambda c: speakers.rename(c, NOBODY, "Ada"), organization_id=NOBODY)
    assert await database.run(lambda c: speakers.lock_conversation(c, NOBODY), organization_id=NOBODY) is None


async def test_a_database_without_room_is_told_apart_from_one_that_is_away(database: Database) -> None:
    # What PostgreSQL itself raises when a file cannot grow.
    statement = "DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"
    with pytest.raises(DatabaseFull) as raised:
        await database.run(lambda c: c.execute(statement))
    assert isinstance(raised.value.__cause__, asyncpg.DiskFullError)


async def test_looking_goes_on_whatever_goes_wrong(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    told: asyncio.Queue[bool] = asyncio.Queue()
    answering = database._url
    # asyncpg's error for it is none of the server's or the network's.
    database._url = "postgresql://nobody@127.0.0.1:no port/nothing"
    checking = asyncio.create_task(database.keep_checking(told.put, 0.01))
    try:
        assert [await told.get() for _ in range(3)] == [False] * 3
        database._url = answering
        while not await told.get():
            pass
    finally:
        checking.cancel()
    assert len([record for record in caplog.records if record.name == "server.storage.pool"]) == 1, "said once"


async def test_whether_the_database_answers_is_told_while_it_is_away_and_back(database: Database) -> None:
    told: asyncio.Queue[bool] = asyncio.Queue()
    answering, away = database._url, f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    checking = asyncio.create_task(database.keep_checking(told.put, 0.01))
    try:
        assert await told.get()
        # The connection breaks, and no other one can be made.
        database._url = away
        await database.run(end_checks)
        while await told.get():
            pass
        database._url = answering
        while not await told.get():
            pass
    finally:
        checking.cancel()
