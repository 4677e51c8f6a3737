"""What is due by an organization's policy, on a real database whose meetings are as old as the test says."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from server.storage import organizations, retention
from server.storage.pool import Connection, Database
from server.storage.retention import ExpiredPart
from server.storage.users import User
from tests.server.storage.rows import HASH, fill_every_table, make_user, queued_meeting, ready_meeting


async def set_days(database: Database, user: User, **days: int) -> None:
    settings = {f"retention_{part}_days": count for part, count in days.items()}
    await database.run(
        lambda c: organizations.set_policy(c, user.organization_id, settings), organization_id=user.organization_id
    )


async def age(owner: Database, days: float, file_hash: str = HASH) -> None:
    """Make a meeting as old as this."""
    statement = "UPDATE meetings SET created_at = now() - $1::interval WHERE file_hash = $2"
    await owner.run(lambda c: c.execute(statement, timedelta(days=days), file_hash))


async def due(database: Database) -> list[tuple[str, str]]:
    found = await database.run(lambda c: retention.find_expired(c, 20))
    return [(expired.file_hash, expired.part) for expired in found]


async def test_parts_are_due_by_the_days_of_the_policy_and_the_meeting_first(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user)
    await age(owner, 10.5)
    assert await due(database) == []
    await set_days(database, user, audio=11, transcript=11)
    assert await due(database) == []
    await set_days(database, user, audio=10)
    assert await due(database) == [(HASH, "audio")]
    await set_days(database, user, transcript=9, meeting=10)
    found = await due(database)
    assert found[0] == (HASH, "meeting")
    assert set(found) == {(HASH, part) for part in ("meeting", "transcript", "audio")}
    await set_days(database, user, audio=0, transcript=0, meeting=0)
    assert await due(database) == []


async def test_one_organization_s_policy_is_not_another_s(owner: Database, database: Database) -> None:
    ours, theirs = [await make_user(owner, name) for name in ("Ours", "Theirs")]
    for user in (ours, theirs):
        await ready_meeting(database, user)
    await age(owner, 100)
    await set_days(database, ours, audio=1)
    found = await database.run(lambda c: retention.find_expired(c, 20))
    assert found == [ExpiredPart(ours.organization_id, HASH, "audio")]


@pytest.mark.parametrize("status", ["receiving", "queued", "processing"])
async def test_what_is_worked_on_is_not_due(owner: Database, database: Database, status: str) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    await owner.run(lambda c: c.execute("ALTER TABLE meetings DISABLE TRIGGER USER"))
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = $1", status))
    await age(owner, 100)
    await set_days(database, user, audio=1, transcript=1, meeting=1)
    assert await due(database) == []
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed'"))
    assert len(await due(database)) == 3


async def test_a_live_meeting_is_due_once_its_last_event_is_stored(owner: Database, database: Database) -> None:
    rows = await fill_every_table(owner, database, "Org")
    await owner.run(lambda c: c.execute("ALTER TABLE meetings DISABLE TRIGGER USER"))
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'ready', created_at = now() - interval '9 days'"))
    await set_days(database, rows.user, meeting=1)
    assert await due(database) == [(HASH, "meeting")]
    await owner.run(lambda c: c.execute("UPDATE live_meetings SET concluded = true"))
    assert len(await due(database)) == 2


async def test_each_organization_has_a_share_of_a_look(owner: Database, database: Database) -> None:
    many, few = [await make_user(owner, name) for name in ("Many", "Few")]
    for number in range(5):
        await ready_meeting(database, many, f"{number:064x}")
        await age(owner, 5 - number / 10, f"{number:064x}")
    await ready_meeting(database, few)
    await age(owner, 2)
    for user in (many, few):
        await set_days(database, user, audio=1)
    found = await database.run(lambda c: retention.find_expired(c, 2))
    assert sorted(expired.file_hash for expired in found) == [f"{0:064x}", f"{1:064x}", HASH]


async def lock(database: Database, user: User, part: str) -> UUID | None:
    expired = ExpiredPart(user.organization_id, HASH, part)
    return await database.run(lambda c: retention.lock_expired(c, expired), organization_id=user.organization_id)


async def test_a_part_is_asked_again_under_the_lock(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    meeting_id = await ready_meeting(database, user)
    await age(owner, 10)
    await set_days(database, user, audio=5)
    assert await lock(database, user, "audio") == meeting_id
    assert await lock(database, user, "transcript") is None
    # The policy changed since somebody looked.
    await set_days(database, user, audio=20)
    assert await lock(database, user, "audio") is None
    await set_days(database, user, audio=5)

    async def while_locked(connection: Connection) -> UUID | None:
        await connection.execute("SELECT FROM meetings FOR UPDATE")
        return await lock(database, user, "audio")

    assert await database.run(while_locked, organization_id=user.organization_id) is None


async def test_a_transcript_goes_with_the_answers_that_quote_it(owner: Database, database: Database) -> None:
    rows = await fill_every_table(owner, database, "Org")
    run = partial(database.run, organization_id=rows.organization_id)
    insert = "INSERT INTO insights (meeting_id, family, definition_version, value) VALUES ($1, 'score', '1', '{}')"
    await run(lambda c: c.execute(insert, rows.meeting_id))
    delete = partial(retention.delete_transcript, organization_id=rows.organization_id, families=["family"])
    assert await run(lambda c: delete(c, meeting_id=rows.meeting_id)) == {
        "conversations": 1,
        "insights": 1,
        "search_meetings": 1,
        "search_sentences": 1,
        "speaker_edits": 1,
    }
    assert await run(lambda c: delete(c, meeting_id=rows.live_meeting_id)) == {"live_events": 1, "webhook_events": 1}
    assert [row["family"] for row in await owner.run(lambda c: c.fetch("SELECT family FROM insights"))] == ["score"]
    deleted = await run(lambda c: retention.find_deleted(c, rows.organization_id, rows.meeting_id))
    assert (deleted[0], deleted[1] is not None) == (None, True)


async def test_deleted_audio_is_not_stored_bytes_and_fences_out_who_shows_the_meeting(
    owner: Database, database: Database
) -> None:
    rows = await fill_every_table(owner, database, "Org")
    fence = await owner.run(lambda c: c.fetchval("SELECT fence FROM live_meetings"))
    await database.run(
        lambda c: retention.delete_audio(c, rows.organization_id, rows.live_meeting_id),
        organization_id=rows.organization_id,
    )
    assert await owner.run(lambda c: c.fetchval("SELECT fence FROM live_meetings")) == fence + 1
    sizes = await owner.run(lambda c: c.fetch("SELECT size_bytes FROM meetings WHERE audio_deleted_at IS NOT NULL"))
    assert [row["size_bytes"] for row in sizes] == [0]


async def test_a_meeting_says_when_its_parts_go_and_which_went(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    meeting_id = await ready_meeting(database, user)
    await age(owner, 10)
    await set_days(database, user, audio=5, meeting=20)
    run = partial(database.run, organization_id=user.organization_id)
    await run(lambda c: retention.delete_audio(c, user.organization_id, meeting_id))
    audio, transcript, meeting = await run(lambda c: retention.find_parts(c, user.organization_id, HASH))
    assert (audio.part, audio.deleted_at is not None) == ("audio", True)
    assert (transcript.part, transcript.due_at, transcript.deleted_at) == ("transcript", None, None)
    created_at = await owner.run(lambda c: c.fetchval("SELECT created_at FROM meetings"))
    assert (meeting.part, meeting.due_at) == ("meeting", created_at + timedelta(days=20))
    assert await run(lambda c: retention.find_parts(c, user.organization_id, "c" * 64)) == []
