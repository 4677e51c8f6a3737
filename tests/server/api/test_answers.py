"""Stored answers, read for a caller: of the own organization, and only when the meeting is ready."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from server.api.answers import Answers, ReadyAnswer
from server.auth import set_caller
from server.engine import InferenceClient
from server.errors import BadRequest, MeetingFailed, MeetingNotFound, MeetingStillProcessing, TranscriptDeleted
from server.insights import BALANCE, ENERGY, TRANSCRIPT
from server.live import PartialAnswers
from server.storage import jobs, retention
from server.storage.pool import Database
from server.storage.speakers import SpeakerRow, speaker_id
from server.storage.users import User
from tests.server.callers import caller
from tests.server.storage.rows import make_user, queued_meeting, ready_meeting

HASH = "a" * 64
SCORE = {"score": 40, "components": {}, "weights": {}, "support": {}, "reason": None}


def calls(user: User) -> None:
    set_caller(caller(user))


async def test_an_answer_comes_with_all_that_is_known_of_its_meeting(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    meeting_id = await ready_meeting(database, user, HASH, answers={BALANCE.name: ("7", SCORE)})
    calls(user)
    for found in (await Answers(database).get(HASH.upper(), BALANCE), await Answers(database).latest(BALANCE)):
        assert found.value["score"] == 40
        assert (found.duration_ms, found.definition_version, found.engine) == (60_000, "7", {"languages": ["en"]})
        assert [speaker.alias for speaker in found.speakers] == ["Speaker 1", "Speaker 2"]
        assert found.speaker_id(2) == str(speaker_id(meeting_id, 2))


async def test_the_latest_meeting_is_the_caller_s_own(owner: Database, database: Database) -> None:
    user, colleague = await make_user(owner), await make_user(owner, email="b@example.org")
    await ready_meeting(database, user, HASH, answers={BALANCE.name: ("1", SCORE)})
    await asyncio.sleep(0)
    await ready_meeting(database, user, "b" * 64, answers={BALANCE.name: ("2", SCORE)})
    calls(user)
    assert (await Answers(database).latest(BALANCE)).definition_version == "2"
    calls(colleague)
    with pytest.raises(MeetingNotFound):
        await Answers(database).latest(BALANCE)
    # By its hash the meeting is the organization's.
    assert (await Answers(database).get(HASH, BALANCE)).definition_version == "1"


async def test_another_organization_s_meeting_does_not_exist(owner: Database, database: Database) -> None:
    await ready_meeting(database, await make_user(owner), HASH, answers={BALANCE.name: ("1", SCORE)})
    calls(await make_user(owner, "Elsewhere"))
    with pytest.raises(MeetingNotFound):
        await Answers(database).get(HASH, BALANCE)


async def test_what_is_not_ready_says_how_far_it_is_or_why_it_failed(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    calls(user)
    with pytest.raises(MeetingStillProcessing) as waiting:
        await Answers(database).get(HASH, BALANCE)
    assert waiting.value.facts["progress_percent"] == "0"
    job = await database.run(lambda c: jobs.lease_next(c, 30, 3))
    assert job is not None
    await database.run(lambda c: jobs.fail(c, job, "no sound"), organization_id=job.organization_id)
    with pytest.raises(MeetingFailed, match="no sound"):
        await Answers(database).get(HASH, BALANCE)


async def test_an_answer_that_was_never_computed_is_not_ready(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, HASH, answers={BALANCE.name: ("1", SCORE)})
    calls(user)
    with pytest.raises(MeetingStillProcessing):
        await Answers(database).get(HASH, ENERGY)


async def test_a_hash_is_checked_before_anybody_is_asked(owner: Database, database: Database) -> None:
    calls(await make_user(owner))
    with pytest.raises(BadRequest, match="file-hash"):
        await Answers(database).get("no hash", BALANCE)


def test_the_unknown_speaker_has_no_id() -> None:
    found = ReadyAnswer({"score": 1}, {}, (SpeakerRow(1, UUID(int=5), "Ada"),))
    assert (found.speaker_id(1), found.speaker_id(0), found.speaker_id(2)) == (str(UUID(int=5)), "", "")


async def test_answers_that_quote_a_deleted_transcript_are_gone_and_scores_stay(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    meeting_id = await ready_meeting(
        database, user, HASH, answers={BALANCE.name: ("1", SCORE), TRANSCRIPT.name: ("1", {})}
    )
    await database.run(
        lambda c: retention.delete_transcript(c, user.organization_id, meeting_id, [TRANSCRIPT.name]),
        organization_id=user.organization_id,
    )
    calls(user)
    assert (await Answers(database).get(HASH, BALANCE)).value["score"] == 40
    with pytest.raises(TranscriptDeleted, match="What was said in this meeting was deleted on 20"):
        await Answers(database).get(HASH, TRANSCRIPT)
    # One that was never computed is another matter.
    with pytest.raises(MeetingStillProcessing):
        await Answers(database).get(HASH, ENERGY)


async def test_a_meeting_that_is_no_live_one_answers_nothing_while_it_is_processed(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    calls(user)
    inference = InferenceClient("127.0.0.1:1")
    answers = Answers(database, partial_answers=PartialAnswers(database, inference))
    for live in (False, True):
        with pytest.raises(MeetingStillProcessing):
            await answers.get(HASH, BALANCE, live=live)
    await inference.close()


async def test_a_finished_meeting_says_that_it_does_not_run_where_that_was_asked(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    await ready_meeting(database, user, HASH, answers={BALANCE.name: ("1", SCORE)})
    calls(user)
    assert (await Answers(database).get(HASH, BALANCE)).reach == {}
    assert (await Answers(database).get(HASH, BALANCE, live=True)).reach == {"live": False}
    assert (await Answers(database).latest(BALANCE, live=True)).reach == {"live": False}
