"""What the channels of a recording are, and what is to be known of its answers, on a real database."""

from __future__ import annotations

from uuid import UUID

import pytest

from server.channels import ChannelUse
from server.insights import QUALITY
from server.storage import jobs, meetings, results, users
from server.storage.jobs import Job
from server.storage.pool import Database

HASH = "a" * 64


async def organization_of(database: Database) -> tuple[UUID, UUID]:
    user_id = await database.run(lambda c: users.ensure_user(c, "Org", "a@example.org", "hash"))
    user = await database.run(lambda c: users.find(c, user_id))
    assert user is not None
    return user.organization_id, user_id


async def filed(database: Database, channels: ChannelUse | None) -> UUID:
    organization_id, user_id = await organization_of(database)
    new = meetings.NewMeeting(organization_id, user_id, HASH, "m", None, None, "", "audio/wav", 1, channels=channels)
    await database.run(lambda c: meetings.accept(c, new))
    return organization_id


async def taken(database: Database) -> Job:
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    return job


@pytest.mark.parametrize(
    ("stated", "kept"),
    [(None, ChannelUse.MIXED), (ChannelUse.MIXED, ChannelUse.MIXED), (ChannelUse.SEPARATE, ChannelUse.SEPARATE)],
)
async def test_channels_come_to_whoever_analyses(
    database: Database, stated: ChannelUse | None, kept: ChannelUse
) -> None:
    organization_id = await filed(database, stated)
    assert (await taken(database)).channels is kept
    assert await database.read(lambda c: meetings.find_analysed_channels(c, organization_id, HASH)) is kept


async def test_what_is_not_known_or_failed_may_be_analysed_with_any_channels(database: Database) -> None:
    organization_id, _ = await organization_of(database)
    assert await database.read(lambda c: meetings.find_analysed_channels(c, organization_id, HASH)) is None
    await filed(database, ChannelUse.MIXED)
    job = await taken(database)
    await database.run(lambda c: jobs.fail(c, job, "no sound"))
    assert await database.read(lambda c: meetings.find_analysed_channels(c, organization_id, HASH)) is None
    await filed(database, ChannelUse.SEPARATE)
    assert (await taken(database)).channels is ChannelUse.SEPARATE


async def test_a_notice_is_known_with_the_state_and_with_every_answer(database: Database) -> None:
    organization_id = await filed(database, None)
    job = await taken(database)
    waiting = await database.read(lambda c: meetings.find_state(c, organization_id, HASH))
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
        )
    )
    state = await database.read(lambda c: meetings.find_state(c, organization_id, HASH))
    answer = await database.read(lambda c: meetings.find_answer(c, organization_id, HASH, QUALITY.name))
    assert state is not None
    assert answer is not None
    assert (state.status, state.speech_found, state.notice) == ("ready", False, "No speech was found.")
    assert answer.state.notice == "No speech was found."
