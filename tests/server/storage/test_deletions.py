"""Receipts of deletions: every row counts, voices of one meeting alone go with it, and nothing tells what was said."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

from server.storage import deletions
from server.storage.deletions import MEETING_TABLES, DeletionRow, NewDeletion
from server.storage.pool import Connection, Database
from tests.server.storage.rows import HASH, OrganizationRows, fill_every_table, make_user, ready_meeting


async def test_every_table_of_a_meeting_is_counted(owner: Database) -> None:
    rows = await owner.run(
        lambda c: c.fetch(
            "SELECT table_name FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND column_name = 'meeting_id' AND table_type = 'BASE TABLE'"
        )
    )
    assert {row["table_name"] for row in rows} == {*MEETING_TABLES, "deletions"}


async def delete(database: Database, rows: OrganizationRows, meeting_id: UUID) -> dict[str, int]:
    return await database.run(
        lambda c: deletions.delete_meeting(c, rows.organization_id, meeting_id), organization_id=rows.organization_id
    )


async def test_rows_are_counted_by_table_and_gone(owner: Database, database: Database) -> None:
    rows = await fill_every_table(owner, database, "Org")
    assert await delete(database, rows, rows.meeting_id) == {
        "consents": 1,
        "conversations": 1,
        "insights": 1,
        "jobs": 1,
        "meeting_names": 1,
        "meetings": 1,
        "search_meetings": 1,
        "search_sentences": 1,
        "speaker_edits": 1,
        "speakers": 2,
        "voices": 1,
    }
    assert await delete(database, rows, rows.live_meeting_id) == {
        "live_events": 1,
        "live_meetings": 1,
        "meeting_names": 1,
        "meetings": 1,
        "webhook_events": 1,
    }
    for table in ("meetings", "voices", *MEETING_TABLES):
        assert await owner.run(lambda c, t=table: c.fetchval(f"SELECT count(*) FROM {t}")) == 0, table  # type: ignore[misc]


async def test_a_voice_of_several_meetings_goes_with_the_last(owner: Database, database: Database) -> None:
    rows = await fill_every_table(owner, database, "Org")
    await owner.run(lambda c: c.execute("DELETE FROM jobs"))
    other = await ready_meeting(database, rows.user, "c" * 64)
    await owner.run(
        lambda c: c.execute("UPDATE speakers SET voice_id = $1 WHERE meeting_id = $2", rows.voice_id, other)
    )
    assert "voices" not in await delete(database, rows, rows.meeting_id)
    assert (await delete(database, rows, other))["voices"] == 1


async def test_receipts_are_listed_newest_first_by_page_and_by_meeting(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)

    async def record(file_hash: str, part: str, user_id: UUID | None) -> UUID:
        new, meeting_id = NewDeletion(uuid4(), user.organization_id, file_hash, part, user_id), uuid4()
        await run(lambda c: deletions.record(c, new, meeting_id, {"meetings": 1}, 2, 30))
        return new.id

    async def page(size: int, after: DeletionRow | None = None, file_hash: str | None = None) -> list[DeletionRow]:
        key = (after.created_at, after.id) if after else None
        return await run(lambda c: deletions.list_page(c, user.organization_id, size, key, file_hash))

    ids = [await record(HASH, "audio", None), await record("c" * 64, "meeting", user.id)]
    ids.append(await record(HASH, "meeting", user.id))
    newest = await page(2)
    assert [row.id for row in newest] == [ids[2], ids[1]]
    (oldest,) = await page(2, newest[-1])
    assert (oldest.id, oldest.reason, oldest.user_id, oldest.email) == (ids[0], "retention", None, None)
    assert (newest[0].reason, newest[0].user_id, newest[0].email) == ("request", user.id, user.email)
    assert [row.id for row in await page(5, file_hash=HASH)] == [ids[2], ids[0]]
    await owner.run(lambda c: c.execute("DELETE FROM users"))
    assert [(row.user_id, row.email) for row in await page(1)] == [(user.id, None)]


async def test_a_receipt_is_unfinished_until_the_files_are_removed(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    new = NewDeletion(uuid4(), user.organization_id, HASH, "meeting", user.id)
    await run(lambda c: deletions.record(c, new, uuid4(), {}, 2, 30))

    async def unfinished(connection: Connection) -> list[UUID]:
        return [found.id for found in await deletions.find_unfinished(connection, 0.0)]

    assert await database.run(unfinished) == [new.id]
    assert await database.run(lambda c: deletions.find_unfinished(c, 3600.0)) == []
    await run(lambda c: deletions.finish(c, user.organization_id, new.id, 1, 50))
    assert await database.run(unfinished) == []
    (row,) = await run(lambda c: deletions.list_page(c, user.organization_id, 9, None))
    # A live meeting may have written on; after a crash some of the files were gone already.
    assert (row.files, row.size_bytes) == (2, 50)
    assert row.files_removed_at is not None
