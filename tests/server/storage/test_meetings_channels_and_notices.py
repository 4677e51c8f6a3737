"""What the channels of a recording are, and what is to be known of its answers, on a real database."""

from __future__ import annotations

from uuid import UUID

import pytest

from server.channels import ChannelUse
from server.insights import QUALITY
from server.storage import jobs, meetings, results
from server.storage.jobs import Job
from server.storage.pool import Database
from tests.server.storage.rows import make_user

HASH = "a" * 64


async def organization_of(owner: Database) -> tuple[UUID, UUID]:
    user = await make_user(owner)
    return user.organization_id, user.id


async def filed(owner: Database, database: Database, channels: ChannelUse | None) -> UUID:
    organization_id, user_id = await organization_of(owner)
    new = meetings.NewMeeting(organization_id, user_id, HASH, "m", None, None, "", "audio/wav", 1, channels=channels)
    await database.run(lambda c: meetings.accept(c, new), organization_id=organization_id)
    return organization_id


async def taken(database: Database) -> Job:
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    return job


async def channels_of(database: Database, organization_id: UUID) -> ChannelUse | None:
    found = await database.run(
        lambda c: meetings.find_analysis(c, organization_id, HASH), organization_id=organization_id
    )
    return found.channels if found else None


@pytest.mark.parametrize(
    ("stated", "kept"),
    [(None, ChannelUse.MIXED), (ChannelUse.MIXED, ChannelUse.MIXED), (ChannelUse.SEPARATE, ChannelUse.SEPARATE)],
)
async def test_channels_come_to_whoever_analyses(
    owner: Database, database: Database, stated: ChannelUse | None, kept: ChannelUse
) -> None:
    organization_id = await filed(owner, database, stated)
    assert (await taken(database)).channels is kept
    assert await channels_of(database, organization_id) is kept


async def test_what_is_not_known_or_failed_may_be_analysed_with_any_channels(
    owner: Database, database: Database
) -> None:
    organization_id, _ = await organization_of(owner)
    assert await channels_of(database, organization_id) is None
    await filed(owner, database, ChannelUse.MIXED)
    job = await taken(database)
    await database.run(lambda c: jobs.fail(c, job, "no sound"), organization_id=organization_id)
    assert await channels_of(database, organization_id) is None
    await filed(owner, database, ChannelUse.SEPARATE)
    assert (await taken(database)).channels is ChannelUse.SEPARATE


async def test_a_notice_is_known_with_the_state_and_with_every_answer(owner: Database, database: Database) -> None:
    organization_id = await filed(owner, database, None)
    job = await taken(database)
    waiting = await database.run(
        lambda c: meetings.find_state(c, organization_id, HASH), organization_id=organization_id
    )
    assert waiting is not None
    assert (waiting.speech_found, waiting.notice) == (None, "")
    await database.run(
        lambda c: results.finish(
            c,
            job,
            conversation={},
            engine={},
            speakers_found=[],
            answers={QUALITY.name: ("1", {})},
            duration_ms=1,
            language="",
            language_confidence=None,
            speech_found=False,
            notice="No speech was found.",
            message="Ready. No speech was found.",
        ),
        organization_id=organization_id,
    )
    state = await database.run(lambda c: meetings.find_state(c, organization_id, HASH), organization_id=organization_id)
    answer = await database.run(
        lambda c: meetings.find_answer(c, organization_id, HASH, QUALITY.name), organization_id=organization_id
    )
    assert state is not None
    assert answer is not None
    assert (state.status, state.speech_found, state.notice) == ("ready", False, "No speech was found.")
    assert answer.state.notice == "No speech was found."
