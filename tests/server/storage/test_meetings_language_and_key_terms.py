"""Language and key terms of meetings in a real database: what was given, what was found, and what of it is told."""

from __future__ import annotations

import pytest

from server.storage import jobs, live, meetings, results
from server.storage.jobs import Job
from server.storage.live import MeetingLost
from server.storage.meetings import MeetingState
from server.storage.pool import Database
from tests.server.storage.live_rows import opened, run, taken_up
from tests.server.storage.rows import make_user

HASH = "b" * 64


async def filed(owner: Database, database: Database, language: str = "", key_terms: tuple[str, ...] = ()) -> Job:
    """An uploaded recording whose analysis has begun."""
    user = await make_user(owner)
    new = meetings.NewMeeting(user.organization_id, user.id, HASH, "m", None, None, language, "audio/wav", 1, key_terms)
    await database.run(lambda c: meetings.accept(c, new), organization_id=user.organization_id)
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    return job


async def finished(database: Database, job: Job, language: str, confidence: float | None) -> None:
    await database.run(
        lambda c: results.finish(
            c,
            job,
            conversation={},
            engine={},
            speakers_found=[],
            answers={},
            duration_ms=1,
            language=language,
            language_confidence=confidence,
            speech_found=True,
            notice="",
            message="Ready",
        ),
        organization_id=job.organization_id,
    )


async def state_of(database: Database, job: Job) -> MeetingState:
    state = await database.run(
        lambda c: meetings.find_state(c, job.organization_id, job.file_hash), organization_id=job.organization_id
    )
    assert state is not None
    return state


async def test_key_terms_come_to_whoever_analyses(owner: Database, database: Database) -> None:
    job = await filed(owner, database, key_terms=("Zoë", "ACME, Inc.", '"quoted"'))
    assert job.key_terms == ("Zoë", "ACME, Inc.", '"quoted"')
    await database.run(
        lambda c: jobs.release(c, job, "stopped", delay_s=0, counted=False), organization_id=job.organization_id
    )
    again = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert again is not None
    assert again.key_terms == job.key_terms


async def test_a_meeting_without_key_terms_has_none(owner: Database, database: Database) -> None:
    assert (await filed(owner, database)).key_terms == ()


@pytest.mark.parametrize(
    ("given", "found", "told"),
    [
        ("", ("de", 0.987654), ("de", 0.987654)),
        ("", ("de", None), ("de", None)),
        ("", ("", None), ("", None)),
        ("en-GB", ("en", None), ("en-GB", None)),
        # What somebody says is no guess.
        ("en-GB", ("de", 0.9), ("en-GB", None)),
    ],
)
async def test_a_language_is_told_as_it_was_given_else_as_it_was_found(
    owner: Database, database: Database, given: str, found: tuple[str, float | None], told: tuple[str, float | None]
) -> None:
    job = await filed(owner, database, language=given)
    assert job.language == given
    before = await state_of(database, job)
    assert (before.language, before.language_confidence) == (given, None)
    await finished(database, job, *found)
    after = await state_of(database, job)
    assert (after.status, after.language, after.language_confidence) == ("ready", *told)


async def test_the_language_of_a_live_meeting_is_noted_while_it_goes_on_by_whoever_holds_it(
    owner: Database, database: Database
) -> None:
    row = await opened(owner, database)
    await run(database, row, lambda c: c.execute("UPDATE meetings SET language = '' WHERE id = $1", row.meeting_id))

    async def told() -> tuple[str, float | None]:
        state = await run(database, row, lambda c: meetings.find_state(c, row.organization_id, row.file_hash))
        assert state is not None
        return state.language, state.language_confidence

    assert await told() == ("", None)
    await run(database, row, lambda c: live.store_language(c, row.meeting_id, row.fence, "de", 0.9))
    assert await told() == ("de", 0.9)
    now = await taken_up(database, row)
    with pytest.raises(MeetingLost):
        await run(database, row, lambda c: live.store_language(c, row.meeting_id, row.fence, "fr", 0.5))
    job = await run(database, row, lambda c: live.finish(c, now, 1, 30.0))
    assert job is not None
    # From now on the finished meeting's counts.
    await run(database, row, lambda c: live.store_language(c, row.meeting_id, now.fence, "fr", 0.5))
    assert await told() == ("de", 0.9)
    await finished(database, job, "nl", 0.5)
    assert await told() == ("nl", 0.5)


async def test_a_live_meeting_keeps_its_terms_for_a_worker_that_hears_it_again(
    owner: Database, database: Database
) -> None:
    row = await opened(owner, database)
    job = await run(database, row, lambda c: live.finish(c, row, 1, 30.0))
    assert job is not None
    assert job.key_terms == ("Ada", "Kubernetes")
