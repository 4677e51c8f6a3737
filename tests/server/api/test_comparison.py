"""Meetings side by side, over real gRPC: what was stored, and nothing that was not measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from grpc import aio
from meetra.v1 import comparison_pb2 as pb
from meetra.v1 import comparison_pb2_grpc

from server.api.comparison import MAX_FILE_HASHES, MAX_PAGE_SIZE
from server.insights import compute_answers
from server.storage import voices
from server.storage.pool import Database
from server.storage.voices import VoiceRow
from tests.server.api.conftest import Api
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import sentence
from tests.server.storage.rows import make_user, ready_meeting

TALK = conversation((1, 0, 30), (2, 31, 60), (1, 61, 90))


def stored(*, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The answers of a conversation of two people."""
    return {name: answer for name, answer in compute_answers(TALK).items() if name not in without}


async def store(owner: Database, database: Database, letter: str, *, without: tuple[str, ...] = ()) -> UUID:
    user = await make_user(owner, "Org", "a@example.org")
    return await ready_meeting(database, user, letter * 64, answers=stored(without=without))


async def ask(api: Api, **wanted: Any) -> pb.ListMeetingScoresResponse:
    stub = comparison_pb2_grpc.ComparisonServiceStub(api.channel)
    answer: pb.ListMeetingScoresResponse = await stub.ListMeetingScores(
        pb.ListMeetingScoresRequest(**wanted), metadata=api.metadata
    )
    return answer


async def test_scores_are_those_of_the_report(api: Api, owner: Database, database: Database) -> None:
    await store(owner, database, "a")
    (found,) = (await ask(api)).meetings
    report = stored()["quality"].document
    assert found.quality_score == report["quality_score"]
    assert [(d.name, d.score, d.effect) for d in found.drivers] == [
        (d["name"], d["score"], d["effect"]) for d in report["drivers"]
    ]
    assert found.support.definition_version == report["support"]["definition_version"]
    assert (found.support.speakers, found.support.sufficient) == (2, True)
    assert found.balance_score == stored()["balance"].document["score"]
    assert found.meeting_interaction_score == stored()["interaction_score"].document["score"]
    assert found.meeting_energy == report["energy"]["score"]
    assert found.sentiment_score == report["sentiment"]["score"]
    assert found.meeting_emotions.not_sure == report["emotions"]["percentages"]["not_sure"]
    assert found.flow.silence_ms == report["flow"]["silence_ms"]
    assert found.flow.response_latency_ms == report["flow"]["response_latency_ms"]
    assert not found.flow.HasField("overlap_ratio")
    shares = report["shares"]["speakers"]
    assert [p.meeting_speaking_percentage for p in found.participants] == [s["percentage"] for s in shares]
    assert [p.turns for p in found.participants] == [p["turns"] for p in report["flow"]["speakers"]]
    assert not any(p.HasField("voice") or p.HasField("microphone_quality") for p in found.participants)
    versions = {name: stored()[name].definition_version for name in ("balance", "energy", "sentiment", "emotions")}
    versions["interaction"] = stored()["interaction_score"].definition_version
    assert found.definition_versions == versions


async def test_without_its_transcript_a_meeting_keeps_its_scores(api: Api, owner: Database, database: Database) -> None:
    await store(owner, database, "a")
    (whole,) = (await ask(api)).meetings
    await owner.run(lambda c: c.execute("DELETE FROM insights WHERE family = 'quality'"))
    (found,) = (await ask(api)).meetings
    assert found.quality_score == whole.quality_score
    assert found.drivers == whole.drivers
    assert not found.HasField("flow")
    assert not any(participant.HasField("turns") for participant in found.participants)


async def test_what_was_not_stored_is_absent(api: Api, owner: Database, database: Database) -> None:
    await store(owner, database, "a", without=("energy", "sentiment", "shares", "emotions"))
    (found,) = (await ask(api)).meetings
    assert found.HasField("balance_score")
    for name in ("quality_score", "meeting_energy", "sentiment_score", "meeting_emotions", "reason"):
        assert not found.HasField(name), name
    assert not found.HasField("support")
    assert list(found.drivers) == []
    assert not any(participant.HasField("meeting_speaking_percentage") for participant in found.participants)


async def test_without_english_the_score_is_of_three(api: Api, owner: Database, database: Database) -> None:
    german = replace(
        TALK, sentences=(replace(sentence(1, 0, 30, "Guten Tag zusammen.", polarity=0), language="de", polarity=None),)
    )
    user = await make_user(owner, "Org", "a@example.org")
    await ready_meeting(database, user, "a" * 64, answers=compute_answers(german))
    (found,) = (await ask(api)).meetings
    assert not found.HasField("sentiment_score")
    assert not found.HasField("meeting_emotions")
    assert "German" in found.reason
    assert found.quality_score == pytest.approx(
        (found.balance_score + found.meeting_interaction_score + found.meeting_energy) / 3, abs=0.005
    )


async def test_pages_hold_every_meeting_once(api: Api, owner: Database, database: Database) -> None:
    for letter in "abc":
        await store(owner, database, letter)
    seen, token = [], ""
    while True:
        page = await ask(api, page_size=2, page_token=token)
        seen += [meeting.file_hash[0] for meeting in page.meetings]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["c", "b", "a"]
    chosen = await ask(api, file_hashes=["A" * 64, "b" * 64, "e" * 64])
    assert [meeting.file_hash[0] for meeting in chosen.meetings] == ["b", "a"]
    assert list((await ask(api, from_time="2999-01-01")).meetings) == []


async def test_a_person_is_found_in_their_meetings(api: Api, owner: Database, database: Database) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    for letter in "ab":
        await store(owner, database, letter)
    here, voice = user.organization_id, VoiceRow(uuid4(), "Ada", b"", 1)
    await database.run(lambda c: voices.store(c, here, "model", voice), organization_id=here)
    (meeting,) = (await ask(api, file_hashes=["a" * 64])).meetings
    pairs = [(UUID(meeting.participants[1].id), voice.id)]
    await database.run(lambda c: voices.link_speakers(c, pairs), organization_id=here)
    (found,) = (await ask(api, voice=str(voice.id))).meetings
    assert found.file_hash == "a" * 64
    assert [participant.voice for participant in found.participants] == ["", str(voice.id)]
    await database.run(lambda c: voices.set_recognition(c, here, False), organization_id=here)
    with pytest.raises(aio.AioRpcError) as raised:
        await ask(api, voice=str(voice.id))
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.NOT_FOUND, "Voice not found")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        pytest.param({"page_size": MAX_PAGE_SIZE + 1}, "page_size", id="page too large"),
        pytest.param({"page_size": -1}, "page_size", id="page negative"),
        pytest.param({"page_token": "x"}, "page_token", id="no token"),
        pytest.param({"from_time": "soon"}, "from", id="no date"),
        pytest.param({"to_time": "9" * 41}, "to", id="long date"),
        pytest.param({"voice": "Ada"}, "voice", id="no voice"),
        pytest.param({"file_hashes": ["a"]}, "file-hash", id="no hash"),
        pytest.param({"file_hashes": ["a" * 64] * (MAX_FILE_HASHES + 1)}, "file-hash", id="many hashes"),
    ],
)
async def test_what_cannot_be_selected_is_named(api: Api, wanted: dict[str, Any], field: str) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await ask(api, **wanted)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (raised.value.details() or "").startswith(f"Bad request: {field}: ")
