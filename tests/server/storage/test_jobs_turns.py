"""Organizations take turns in the queue: none waits for all that another has queued."""

from __future__ import annotations

import asyncio
from uuid import UUID

from server.storage import jobs
from server.storage.jobs import Job
from server.storage.pool import Database
from server.storage.users import User
from tests.server.storage.rows import make_user, queued_meeting


async def take(database: Database, lease_s: float = 30) -> Job | None:
    return await database.run(lambda c: jobs.lease_next(c, lease_s, 3))


async def queue(database: Database, user: User, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        await queued_meeting(database, user, f"{number:064x}")


async def done(database: Database, job: Job | None) -> UUID:
    """End a job that was taken; return its organization."""
    assert job is not None
    await database.run(lambda c: jobs.fail(c, job, "done"), organization_id=job.organization_id)
    return job.organization_id


async def test_298_uploads_of_one_hold_back_nobody_else(owner: Database, database: Database) -> None:
    many, few = [await make_user(owner, name) for name in ("Many", "Few")]
    await queue(database, many, 298)
    await queue(database, few, 2)
    served = [await done(database, await take(database)) for _ in range(6)]
    assert served.index(few.organization_id) < 2
    assert served[:4].count(few.organization_id) == 2
    assert served[4:] == [many.organization_id] * 2


async def test_whoever_has_more_at_work_waits(owner: Database, database: Database) -> None:
    many, few = [await make_user(owner, name) for name in ("Many", "Few")]
    await queue(database, many, 5)
    first = [await take(database) for _ in range(3)]
    assert {job and job.organization_id for job in first} == {many.organization_id}
    await queue(database, few, 2)
    # One of Many's ends: Few still has fewer at work, and is served twice.
    await done(database, first[0])
    served = [await take(database) for _ in range(3)]
    assert [job and job.organization_id for job in served] == [
        few.organization_id,
        few.organization_id,
        many.organization_id,
    ]


async def test_an_organization_that_is_passed_over_waits(owner: Database, database: Database) -> None:
    many, few = [await make_user(owner, name) for name in ("Many", "Few")]
    await queue(database, many, 3)
    full = [many.organization_id]
    assert await database.run(lambda c: jobs.lease_next(c, 30, 3, passed_over=full)) is None
    await queue(database, few, 1)
    taken = await database.run(lambda c: jobs.lease_next(c, 30, 3, passed_over=full))
    assert taken is not None
    assert taken.organization_id == few.organization_id
    assert await take(database) is not None


async def test_within_an_organization_the_oldest_is_next(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queue(database, user, 5)
    taken = [await take(database) for _ in range(5)]
    assert [job and job.file_hash for job in taken] == [f"{number:064x}" for number in range(5)]


async def test_what_is_not_due_takes_no_turn(owner: Database, database: Database) -> None:
    waiting, ready = [await make_user(owner, name) for name in ("Waiting", "Ready")]
    await queue(database, waiting, 3)
    await owner.run(lambda c: c.execute("UPDATE jobs SET run_at = now() + interval '1 hour'"))
    await queue(database, ready, 2)
    assert [await done(database, await take(database)) for _ in range(2)] == [ready.organization_id] * 2
    assert await take(database) is None


async def test_takers_at_once_share_the_organizations(owner: Database, database: Database) -> None:
    users = [await make_user(owner, f"Org{number}") for number in range(4)]
    for user in users:
        await queue(database, user, 20)
    taken = [job for job in await asyncio.gather(*(take(database) for _ in range(8))) if job]
    assert len({job.meeting_id for job in taken}) == len(taken)
    assert {job.organization_id for job in taken} == {user.organization_id for user in users}


async def test_an_organization_whose_row_is_locked_is_served_last_but_served(
    owner: Database, database: Database
) -> None:
    locked, free = [await make_user(owner, name) for name in ("Locked", "Free")]
    await queue(database, locked, 1)
    await queue(database, free, 1)
    lock = "SELECT FROM organizations WHERE id = $1 FOR UPDATE"

    async def with_lock(connection: object) -> list[UUID]:
        await connection.execute(lock, locked.organization_id)  # type: ignore[attr-defined]
        return [await done(database, await take(database)) for _ in range(2)]

    assert await owner.run(with_lock) == [free.organization_id, locked.organization_id]


async def test_a_long_queue_of_one_is_not_read_to_serve_another(owner: Database, database: Database) -> None:
    many, few = [await make_user(owner, name) for name in ("Many", "Few")]
    await queue(database, few, 1)
    await owner.run(
        lambda c: c.execute(
            "INSERT INTO meetings"
            " (id, organization_id, user_id, file_hash, name, media_type, size_bytes, status, stage)"
            " SELECT gen_random_uuid(), $1, $2, lpad(to_hex(n), 64, '0'), 'm', 'audio/wav', 1, 'queued', 'waiting'"
            " FROM generate_series(1, 20000) n",
            many.organization_id,
            many.id,
        )
    )
    await owner.run(
        lambda c: c.execute(
            "INSERT INTO jobs (meeting_id, organization_id) SELECT id, organization_id FROM meetings"
            " WHERE organization_id = $1",
            many.organization_id,
        )
    )
    await owner.run(lambda c: c.execute("ANALYZE jobs"))
    # Also where a vacuum has counted no rows in meetings, which have come since.
    uncounted = "SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', 'meetings', 'relpages', 100,"
    await owner.run(lambda c: c.execute(f"{uncounted} 'reltuples', 0::real)"))
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs'"

    async def rows_read(connection: object) -> int:
        before: int = await connection.fetchval(read)  # type: ignore[attr-defined]
        taken = [await connection.fetchrow("SELECT * FROM lock_due_job()") for _ in range(2)]  # type: ignore[attr-defined]
        assert {job["organization_id"] for job in taken} == {many.organization_id, few.organization_id}
        after: int = await connection.fetchval(read)  # type: ignore[attr-defined]
        return after - before

    assert await owner.run(rows_read) < 200
