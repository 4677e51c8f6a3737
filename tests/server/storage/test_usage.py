"""Analysed audio by month, user and key, in a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

from server.storage import keys, live, meetings, quotas, usage
from server.storage.migrate import MIGRATIONS
from server.storage.pool import Database
from server.storage.usage import KeyUse, MonthUse
from server.storage.users import User
from tests.server.storage.rows import HASH, make_user, new_live_meeting, new_meeting, queued_meeting


async def use_of(database: Database, user: User, months: int = 12) -> tuple[list[MonthUse], list[KeyUse]]:
    run = partial(database.run, organization_id=user.organization_id)
    sums = await run(lambda c: usage.list_months(c, user.organization_id, months))
    return sums, await run(lambda c: usage.list_page(c, user.organization_id, months, 100, None))


async def count(database: Database, user: User, file_hash: str, audio_ms: int) -> None:
    await database.run(
        lambda c: quotas.count_audio(c, user.organization_id, file_hash, audio_ms),
        organization_id=user.organization_id,
    )


async def make_key(database: Database, user: User, name: str) -> UUID:
    key_id = uuid4()
    stored = {"name": name, "secret_hash": key_id.bytes, "scopes": ["upload"], "expires_in_days": 0}
    await database.run(
        lambda c: keys.add(c, user.organization_id, user.id, key_id, **stored),  # type: ignore[arg-type]
        organization_id=user.organization_id,
    )
    return key_id


async def test_audio_counts_for_the_key_that_sent_it_and_once(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    key_id = await make_key(database, user, "Bot")
    await queued_meeting(database, user, HASH)
    other = replace(new_meeting(user, "b" * 64), key_id=key_id)
    row = new_live_meeting(user)
    run = partial(database.run, organization_id=user.organization_id)
    await run(lambda c: meetings.accept(c, other))
    await run(lambda c: live.create(c, row, name="", held_on=None, n_speakers=None, language="", key_id=key_id))
    # Stated, decoded, and tried again.
    for audio_ms in (60_000, 90_000, 90_000):
        await count(database, user, HASH, audio_ms)
    await count(database, user, "b" * 64, 30_000)
    await count(database, user, row.file_hash, 15_000)
    (month,), entries = await use_of(database, user)
    assert (month.analyses, month.audio_ms) == (3, 135_000)
    assert month.month == datetime.now(UTC).date().replace(day=1)
    used = {(entry.key_id, entry.key_name): (entry.analyses, entry.audio_ms) for entry in entries}
    assert used == {(None, None): (1, 90_000), (key_id, "Bot"): (2, 45_000)}
    assert {(entry.user_id, entry.email) for entry in entries} == {(user.id, user.email)}


async def test_a_failed_recording_that_comes_again_counts_again(owner: Database, database: Database) -> None:
    user, other = await make_user(owner), await make_user(owner, "Org", "other@example.org")
    key_id = await make_key(database, other, "Bot")
    await queued_meeting(database, user, HASH)
    await count(database, user, HASH, 1000)
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed'"))
    again = replace(new_meeting(other), key_id=key_id)
    await database.run(lambda c: meetings.accept(c, again), organization_id=user.organization_id)
    await count(database, user, HASH, 1000)
    _, entries = await use_of(database, user)
    assert {(entry.user_id, entry.key_id, entry.analyses, entry.audio_ms) for entry in entries} == {
        (user.id, None, 1, 1000),
        (other.id, key_id, 1, 1000),
    }


async def test_it_stays_when_meeting_key_and_user_go(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    key_id = await make_key(database, user, "Bot")
    new = replace(new_meeting(user), key_id=key_id)
    await database.run(lambda c: meetings.accept(c, new), organization_id=user.organization_id)
    await count(database, user, HASH, 1000)
    await owner.run(lambda c: c.execute("DELETE FROM meetings"))
    await owner.run(lambda c: c.execute("DELETE FROM users"))
    _, (entry,) = await use_of(database, user)
    assert (entry.key_id, entry.key_name, entry.user_id, entry.email) == (key_id, None, user.id, None)
    assert (entry.analyses, entry.audio_ms) == (1, 1000)


async def test_months_before_are_left_out_and_pages_go_on(owner: Database, database: Database) -> None:
    user, other = [await make_user(owner, name) for name in ("Ours", "Theirs")]
    await owner.run(
        lambda c: c.execute(
            "INSERT INTO usage_months (organization_id, user_id, month, analyses, audio_ms)"
            " SELECT $1, $2, date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => ago), 1, 1000"
            " FROM generate_series(0, 14) AS ago",
            user.organization_id,
            user.id,
        )
    )
    assert len((await use_of(database, user, 1))[0]) == 1
    sums, entries = await use_of(database, user, 12)
    assert (len(sums), len(entries)) == (12, 12)
    assert [entry.month for entry in entries] == [one.month for one in sums]
    assert sums[0].month > sums[-1].month
    after, paged = None, []
    while page := await database.run(
        lambda c, a=after: usage.list_page(c, user.organization_id, 12, 5, a),  # type: ignore[misc]
        organization_id=user.organization_id,
    ):
        paged += page
        after = page[-1].created_at, page[-1].id
    assert paged == entries
    assert await use_of(database, other) == ([], [])


async def test_what_was_analysed_before_is_counted_by_the_migration(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    await count(database, user, HASH, 1500)
    texts = [path.read_text() for path in MIGRATIONS.glob("*.sql")]
    (migration,) = (text for text in texts if "CREATE TABLE usage_months" in text)
    statement = migration[migration.index("INSERT INTO usage_months") :]
    await owner.run(lambda c: c.execute("DELETE FROM usage_months"))
    await owner.run(lambda c: c.execute(statement))
    (month,), (entry,) = await use_of(database, user)
    assert (month.analyses, month.audio_ms, entry.user_id, entry.key_id) == (1, 1500, user.id, None)
