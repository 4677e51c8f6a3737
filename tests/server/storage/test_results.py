"""The end of an analysis: everything of it is stored at once by whoever holds the job, or nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from server.storage import insights, jobs, meetings, results, speakers
from server.storage.jobs import Job, JobLost
from server.storage.pool import Connection, Database, ReferenceDeleted
from server.storage.speakers import SpeakerRow, speaker_id
from tests.server.storage.rows import make_user, queued_meeting

HASH = "a" * 64


async def finish(connection: Connection, job: Job, **changed: Any) -> None:
    """Stores a small analysis."""
    found: dict[str, Any] = {
        "conversation": {"segments": []},
        "engine": {"languages": ["en"]},
        "speakers_found": [SpeakerRow(1, speaker_id(job.meeting_id, 1), "Speaker 1")],
        "answers": {"balance": ("1", {"score": 0})},
        "duration_ms": 1_000,
        "language": "en",
        "language_confidence": 0.123456,
        "speech_found": True,
        "notice": "",
        "message": "Ready",
    }
    await results.finish(connection, job, **{**found, **changed})


async def taken(database: Database) -> Job:
    job = await database.run(lambda c: jobs.lease_next(c, 0, 3))
    assert job is not None
    return job


async def test_a_meeting_is_ready_with_all_that_was_found_and_its_job_is_done(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    await queued_meeting(database, user, HASH)
    job = await taken(database)
    await run(lambda c: finish(c, job))
    state = await run(lambda c: meetings.find_state(c, user.organization_id, HASH))
    assert state is not None
    assert (state.status, state.stage, state.progress_percent, state.message) == ("ready", "done", 100, "Ready")
    assert (state.language, state.language_confidence, state.speech_found) == ("en", 0.123456, True)
    assert await run(lambda c: meetings.load_conversation(c, job.meeting_id)) == {"segments": []}
    assert await run(lambda c: insights.load(c, job.meeting_id, "balance")) == {"score": 0}
    assert [row.alias for row in await run(lambda c: speakers.list_active(c, job.meeting_id))] == ["Speaker 1"]
    assert await database.run(lambda c: jobs.lease_next(c, 0, 3)) is None


async def test_an_unknown_language_is_no_language(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    await queued_meeting(database, user, HASH)
    job = await taken(database)
    await run(lambda c: finish(c, job, language="", language_confidence=None))
    state = await run(lambda c: meetings.find_state(c, user.organization_id, HASH))
    assert state is not None
    assert (state.language, state.language_confidence) == ("", None)


async def test_a_worker_that_lost_the_job_stores_nothing(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    await queued_meeting(database, user, HASH)
    late, holder = await taken(database), await taken(database)
    with pytest.raises(JobLost):
        await run(lambda c: finish(c, late))
    state = await run(lambda c: meetings.find_state(c, user.organization_id, HASH))
    assert state is not None
    assert state.status == "processing"
    assert await run(lambda c: insights.load(c, late.meeting_id, "balance")) is None
    await run(lambda c: finish(c, holder))


async def test_of_an_analysis_that_cannot_be_stored_whole_nothing_is_left(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    await queued_meeting(database, user, HASH)
    job = await taken(database)

    async def finish_and_fail(connection: Connection) -> None:
        await finish(connection, job)
        raise ReferenceDeleted("meeting")

    with pytest.raises(ReferenceDeleted):
        await run(finish_and_fail)
    assert await run(lambda c: insights.load(c, job.meeting_id, "balance")) is None
    assert await run(lambda c: speakers.list_active(c, job.meeting_id)) == ()
    await run(lambda c: jobs.renew(c, job, 30))
