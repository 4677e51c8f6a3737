"""The queue on a real database: leases, fences, and attempts that a crash uses up."""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID

import pytest

from server.storage import jobs, meetings
from server.storage.jobs import Job, JobDamaged, JobLost
from server.storage.pool import Database
from tests.server.storage.rows import make_user, new_meeting

HASH = "a" * 64


async def file_meeting(owner: Database, database: Database, file_hash: str = HASH) -> UUID:
    user = await make_user(owner)
    new = new_meeting(user, file_hash)
    status = await database.run(lambda c: meetings.accept(c, new), organization_id=user.organization_id)
    assert status == "queued"
    return user.organization_id


async def take(database: Database, lease_s: float = 30) -> Job | None:
    return await database.run(lambda c: jobs.lease_next(c, lease_s, 3))


async def test_a_job_is_given_to_one_taker(owner: Database, database: Database) -> None:
    for number in range(5):
        await file_meeting(owner, database, f"{number:064x}")
    taken = [job for job in await asyncio.gather(*(take(database) for _ in range(12))) if job]
    # A taker that meets a locked row passes on and may find nothing: ask again for the rest.
    while (job := await take(database)) is not None:
        taken.append(job)
    assert len({job.meeting_id for job in taken}) == len(taken) == 5


async def test_a_job_tells_whether_others_of_its_organization_wait(owner: Database, database: Database) -> None:
    here = await file_meeting(owner, database)
    elsewhere = await make_user(owner, "Elsewhere")
    for new in [new_meeting(elsewhere, f"{number:064x}") for number in range(2)]:
        accept = partial(meetings.accept, meeting=new)
        await database.run(accept, organization_id=elsewhere.organization_id)
    taken = [await take(database) for _ in range(3)]
    seen = sorted((job.organization_id == here, job.others_wait) for job in taken if job)
    assert seen == [(False, False), (False, True), (True, False)]


async def test_a_lease_that_ran_out_is_taken_again_and_the_old_holder_is_fenced(
    owner: Database, database: Database
) -> None:
    await file_meeting(owner, database)
    first = await take(database, lease_s=0)
    assert first is not None
    assert first.attempt == 1
    second = await take(database)
    assert second is not None
    assert second.attempt == 2
    with pytest.raises(JobLost):
        await database.run(lambda c: jobs.renew(c, first, 10), organization_id=first.organization_id)
    await database.run(lambda c: jobs.renew(c, second, 10), organization_id=second.organization_id)
    assert await take(database) is None


async def test_the_third_crash_fails_the_meeting_and_an_upload_queues_it_anew(
    owner: Database, database: Database
) -> None:
    organization_id = await file_meeting(owner, database)
    for _ in range(3):
        assert await take(database, lease_s=0) is not None
    assert await take(database) is None
    state = await database.run(lambda c: meetings.find_state(c, organization_id, HASH), organization_id=organization_id)
    assert state is not None
    assert state.status == "failed"
    assert "crashed 3 times" in state.message
    await file_meeting(owner, database)
    again = await take(database)
    assert again is not None
    assert again.attempt == 1


async def test_a_clean_stop_gives_the_job_back_uncounted(owner: Database, database: Database) -> None:
    await file_meeting(owner, database)
    job = await take(database)
    assert job is not None
    await database.run(
        lambda c: jobs.release(c, job, "stopped", delay_s=0, counted=False), organization_id=job.organization_id
    )
    again = await take(database)
    assert again is not None
    assert (again.attempt, again.fence) == (1, 2)


async def test_a_failed_recording_uploaded_again_is_analysed_again_as_it_is_described_now(
    owner: Database, database: Database
) -> None:
    organization_id = await file_meeting(owner, database)
    job = await take(database)
    assert job is not None
    await database.run(lambda c: jobs.fail(c, job, "no sound"), organization_id=organization_id)
    state = await database.run(lambda c: meetings.find_state(c, organization_id, HASH), organization_id=organization_id)
    assert state is not None
    assert (state.status, state.message) == ("failed", "no sound")
    user_id = (await make_user(owner)).id
    new = meetings.NewMeeting(organization_id, user_id, HASH, "renamed", None, 3, "de", "audio/wav", 1, ("Meetra",))
    assert await database.run(lambda c: meetings.accept(c, new), organization_id=organization_id) == "queued"
    again = await take(database)
    assert again is not None
    assert (again.meeting_id, again.attempt) == (job.meeting_id, 1)
    assert (again.name, again.n_speakers, again.language, again.key_terms) == ("renamed", 3, "de", ("Meetra",))


async def test_a_damaged_job_is_given_up_and_its_recording_can_be_uploaded_again(
    owner: Database, database: Database
) -> None:
    organization_id = await file_meeting(owner, database)
    await owner.run(lambda c: c.execute("UPDATE jobs SET fence = 2147483647"))
    for _ in range(2):
        with pytest.raises(JobDamaged) as raised:
            await take(database)
    damaged = raised.value
    assert damaged.organization_id == organization_id
    for _ in range(2):
        await database.run(lambda c: jobs.give_up_damaged(c, damaged.meeting_id), organization_id=organization_id)
    assert await take(database) is None
    state = await database.run(lambda c: meetings.find_state(c, organization_id, HASH), organization_id=organization_id)
    assert state is not None
    assert (state.status, state.message) == ("failed", jobs.DAMAGED)
    await file_meeting(owner, database)
    again = await take(database)
    assert again is not None
    assert (again.meeting_id, again.attempt, again.fence) == (damaged.meeting_id, 1, 1)
