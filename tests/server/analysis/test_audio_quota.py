"""Audio counts as it is found to be when decoded: what a day does not suffice for waits, what no day does fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from server.analysis.audio_quota import AudioQuota, MinutesUsedUp
from server.audio.media_decoder import UnusableRecording
from server.config import ServerSettings
from server.meetings.job_runner import MINUTES_USED_UP, JobRunner
from server.quotas import MS_PER_MINUTE, Quotas
from server.storage import jobs, meetings, quotas
from server.storage.jobs import Job, JobLost
from server.storage.pool import Database
from server.storage.users import User
from tests.server.storage.rows import HASH, make_user, queued_meeting

DEFAULTS = Quotas(1000, 10, 1000, 1)


async def take(database: Database) -> Job:
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    return job


async def used_ms(database: Database, user: User) -> int:
    use = await database.run(
        lambda c: quotas.find_use(c, user.organization_id, DEFAULTS), organization_id=user.organization_id
    )
    return use.analysed_ms


async def test_a_recording_that_is_longer_than_it_says_counts_in_full(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    await database.run(
        lambda c: quotas.count_audio(c, user.organization_id, HASH, 1000), organization_id=user.organization_id
    )
    quota, job = AudioQuota(database, DEFAULTS), await take(database)
    for _ in range(2):
        await quota.count(job, 4 * MS_PER_MINUTE)
        assert await used_ms(database, user) == 4 * MS_PER_MINUTE


async def test_what_the_day_does_not_suffice_for_waits_for_the_next(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner)
    settings = ServerSettings(database_url=SecretStr("unused"), audio_dir=tmp_path)
    quota, runner = AudioQuota(database, DEFAULTS), JobRunner(settings, database)

    async def analyse(job: Job) -> None:
        await quota.count(job, 6 * MS_PER_MINUTE)

    for number in range(2):
        await queued_meeting(database, user, f"{number:064x}")
        await runner.run(await take(database), analyse)
    # The first was counted, and goes on; the second was not.
    assert await used_ms(database, user) == 6 * MS_PER_MINUTE
    state = await database.run(
        lambda c: meetings.find_state(c, user.organization_id, f"{1:064x}"), organization_id=user.organization_id
    )
    assert state is not None
    assert (state.status, state.message) == ("queued", MINUTES_USED_UP)
    due_in_s = await owner.run(
        lambda c: c.fetchval(
            "SELECT extract(epoch FROM run_at - date_trunc('day', now(), 'UTC'))::float FROM jobs j"
            " JOIN meetings m ON m.id = j.meeting_id WHERE m.file_hash = $1",
            f"{1:064x}",
        )
    )
    assert due_in_s >= 86_400
    await owner.run(lambda c: c.execute("UPDATE organization_days SET day = day - 1"))
    await owner.run(lambda c: c.execute("UPDATE jobs SET run_at = now() WHERE lease_until IS NULL"))
    again = await take(database)
    assert (again.file_hash, again.attempt) == (f"{1:064x}", 1)
    await quota.count(again, 6 * MS_PER_MINUTE)


async def test_what_no_day_suffices_for_fails_with_both_lengths(owner: Database, database: Database) -> None:
    await queued_meeting(database, await make_user(owner), HASH)
    job = await take(database)
    with pytest.raises(UnusableRecording, match=r"has 11 minutes of audio, .* may have 10 analysed a day$"):
        await AudioQuota(database, DEFAULTS).count(job, 10 * MS_PER_MINUTE + 1)


async def test_a_worker_that_lost_its_job_counts_nothing(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    lost = await database.run(lambda c: jobs.lease_next(c, 0, 3))
    assert lost is not None
    await take(database)
    with pytest.raises(JobLost):
        await AudioQuota(database, DEFAULTS).count(lost, 1000)
    assert await used_ms(database, user) == 0


async def test_used_up_minutes_say_when_the_day_ends(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    job = await take(database)
    await owner.run(
        lambda c: c.execute(
            "INSERT INTO organization_days (organization_id, analysed_ms) VALUES ($1, $2)",
            user.organization_id,
            10 * MS_PER_MINUTE,
        )
    )
    with pytest.raises(MinutesUsedUp) as raised:
        await AudioQuota(database, DEFAULTS).count(job, 1)
    assert 1 <= raised.value.day_ends_in_s <= 86_400
