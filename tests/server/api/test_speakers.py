"""The speakers of a meeting and their correction, over real gRPC."""

from __future__ import annotations

from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.message import Message
from grpc import aio
from meetra.v1 import speakers_pb2 as pb
from meetra.v1 import speakers_pb2_grpc

from server.insights import compute_answers
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from tests.server.api.conftest import Api
from tests.server.conversation.spoken import conversation
from tests.server.storage.rows import make_user, ready_meeting

HASH = "a" * 64
TALK = conversation((1, 0, 20), (2, 20, 30), (1, 30, 40))


async def analysed(owner: Database, database: Database) -> dict[int, UUID]:
    """The speakers of a meeting of the fixture's user."""
    found = {name: (answer.definition_version, dict(answer.document)) for name, answer in compute_answers(TALK).items()}
    user = await make_user(owner, "Org", "a@example.org")
    id_ = await ready_meeting(database, user, HASH, conversation=TALK.to_document(), answers=found)
    return {label: speaker_id(id_, label) for label in (1, 2, 3)}


async def refusal(api: Api, method: str, request: Message) -> tuple[grpc.StatusCode, str]:
    call = getattr(speakers_pb2_grpc.SpeakerServiceStub(api.channel), method)
    with pytest.raises(aio.AioRpcError) as raised:
        await call(request, metadata=api.metadata)
    return raised.value.code(), raised.value.details() or ""


async def test_speakers_are_listed_and_details_only_where_they_are_asked_for(
    api: Api, owner: Database, database: Database
) -> None:
    ids = await analysed(owner, database)
    listing = speakers_pb2_grpc.SpeakerServiceStub(api.channel).ListSpeakers
    for request in (pb.ListSpeakersRequest(file_hash=HASH), pb.ListSpeakersRequest()):
        found = await listing(request, metadata=api.metadata)
        assert [(speaker.alias, speaker.id) for speaker in found.speakers] == [
            ("Speaker 1", str(ids[1])),
            ("Speaker 2", str(ids[2])),
        ]
        assert not any(speaker.HasField("alias_source") for speaker in found.speakers)
    detailed = await listing(pb.ListSpeakersRequest(file_hash=HASH, include_details=True), metadata=api.metadata)
    assert {speaker.alias_source for speaker in detailed.speakers} == {pb.ALIAS_SOURCE_NUMBER}


async def test_a_speaker_is_renamed_split_merged_and_all_is_undone(
    api: Api, owner: Database, database: Database
) -> None:
    ids = await analysed(owner, database)
    service = speakers_pb2_grpc.SpeakerServiceStub(api.channel)
    name = pb.SpeakerName(alias=" Ada ")
    renamed = await service.RenameSpeaker(
        pb.RenameSpeakerRequest(id=str(ids[1]), name=name, file_hash=HASH.upper()), metadata=api.metadata
    )
    assert (renamed.alias, renamed.id) == ("Ada", str(ids[1]))
    split = await service.SplitSpeaker(
        pb.SplitSpeakerRequest(id=str(ids[1]), start=30_000, end=40_000), metadata=api.metadata
    )
    assert split.new_id == str(ids[3])
    assert [speaker.alias for speaker in split.speakers] == ["Ada", "Speaker 2", "Speaker 3"]
    merged = await service.MergeSpeakers(
        pb.MergeSpeakersRequest(id=str(ids[3]), into=str(ids[2])), metadata=api.metadata
    )
    assert [speaker.alias for speaker in merged.speakers] == ["Ada", "Speaker 2"]
    for left in (3, 2):
        undone = await service.UndoSpeakerEdit(pb.UndoSpeakerEditRequest(file_hash=HASH), metadata=api.metadata)
        assert len(undone.speakers) == left


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("ListSpeakers", pb.ListSpeakersRequest(file_hash=""), "file-hash"),
        ("RenameSpeaker", pb.RenameSpeakerRequest(id="x", name=pb.SpeakerName(alias="Ada")), "id"),
        ("RenameSpeaker", pb.RenameSpeakerRequest(id=str(uuid4())), "alias"),
        ("MergeSpeakers", pb.MergeSpeakersRequest(id=str(uuid4()), into=""), "into"),
        ("SplitSpeaker", pb.SplitSpeakerRequest(id=str(uuid4()), start=-1, end=5), "start"),
        ("SplitSpeaker", pb.SplitSpeakerRequest(id=str(uuid4()), start=5, end=5), "end"),
        ("UndoSpeakerEdit", pb.UndoSpeakerEditRequest(), "file-hash"),
    ],
)
async def test_a_field_that_is_wrong_is_named(api: Api, method: str, request_: Message, field: str) -> None:
    code, message = await refusal(api, method, request_)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert message.startswith(f"Bad request: {field}: ")


async def test_a_speaker_who_does_not_exist_is_not_found(api: Api, owner: Database, database: Database) -> None:
    ids, nobody = await analysed(owner, database), str(uuid4())
    ada = pb.SpeakerName(alias="Ada")
    for method, request in (
        ("RenameSpeaker", pb.RenameSpeakerRequest(id=nobody, name=ada)),
        ("RenameSpeaker", pb.RenameSpeakerRequest(id=str(ids[1]), name=ada, file_hash="b" * 64)),
        ("MergeSpeakers", pb.MergeSpeakersRequest(id=str(ids[1]), into=nobody)),
        ("SplitSpeaker", pb.SplitSpeakerRequest(id=nobody, start=0, end=5)),
    ):
        assert await refusal(api, method, request) == (grpc.StatusCode.NOT_FOUND, "Speaker not found")
