"""Corrections of sentences and their history, over real gRPC."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.message import Message
from grpc import aio
from meetra.v1 import corrections_pb2 as pb
from meetra.v1 import corrections_pb2_grpc, insights_pb2, insights_pb2_grpc, speakers_pb2, speakers_pb2_grpc

from server.conversation import split_sentences
from server.insights import compute_answers
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from tests.server.api.conftest import Api
from tests.server.conversation.spoken import talk
from tests.server.storage.rows import make_user, ready_meeting

HASH = "a" * 64


async def analysed(owner: Database, database: Database, language: str = "de") -> dict[int, UUID]:
    """The speakers of a meeting of the fixture's user; no text model reads what they say."""
    said = talk((1, "Guten Morgen. | Wie geht es?"), (2, "Gut."))
    said = replace(said, segments=tuple(replace(segment, language=language) for segment in said.segments))
    said = replace(said, sentences=split_sentences(said))
    found = {name: (answer.definition_version, dict(answer.document)) for name, answer in compute_answers(said).items()}
    user = await make_user(owner, "Org", "a@example.org")
    id_ = await ready_meeting(database, user, HASH, conversation=said.to_document(), answers=found)
    return {label: speaker_id(id_, label) for label in (1, 2, 3)}


async def refusal(api: Api, method: str, request: Message) -> tuple[grpc.StatusCode, str]:
    call = getattr(corrections_pb2_grpc.CorrectionServiceStub(api.channel), method)
    with pytest.raises(aio.AioRpcError) as raised:
        await call(request, metadata=api.metadata)
    return raised.value.code(), raised.value.details() or ""


async def sentences(api: Api) -> list[insights_pb2.TranscriptSentence]:
    request = insights_pb2.GetTranscriptionRequest(file_hash=HASH, include_details=True)
    answer = await insights_pb2_grpc.InsightsServiceStub(api.channel).GetTranscription(request, metadata=api.metadata)
    return list(answer.details.sentences)


async def test_sentences_are_corrected_by_the_numbers_that_the_transcript_gives(
    api: Api, owner: Database, database: Database
) -> None:
    ids = await analysed(owner, database)
    service = corrections_pb2_grpc.CorrectionServiceStub(api.channel)
    before = await sentences(api)
    assert [(s.number, s.speaker, s.text) for s in before] == [
        (1, str(ids[1]), "Guten Morgen."),
        (2, str(ids[1]), "Wie geht es?"),
        (3, str(ids[2]), "Gut."),
    ]
    assert not any(s.HasField("original_text") or s.HasField("original_speaker") for s in before)
    words = pb.SentenceText(text="  Wie geht\n es dir? ", replaces="Wie geht es?")
    corrected = await service.CorrectSentence(
        pb.CorrectSentenceRequest(file_hash=HASH, number=2, correction=words), metadata=api.metadata
    )
    assert (corrected.sentence.text, corrected.sentence.original_text) == ("Wie geht es dir?", "Wie geht es?")
    moved = await service.MoveSentence(
        pb.MoveSentenceRequest(file_hash=HASH, number=2, correction=pb.SentenceSpeaker(new_speaker=True)),
        metadata=api.metadata,
    )
    assert (moved.sentence.speaker, moved.sentence.original_speaker) == (str(ids[3]), str(ids[1]))
    assert [speaker.id for speaker in moved.speakers] == [str(ids[1]), str(ids[2]), str(ids[3])]
    assert (await sentences(api))[1] == moved.sentence
    merge = speakers_pb2.MergeSpeakersRequest(id=str(ids[1]), into=str(ids[2]))
    await speakers_pb2_grpc.SpeakerServiceStub(api.channel).MergeSpeakers(merge, metadata=api.metadata)
    # Who was merged is no speaker any more.
    assert (await sentences(api))[1].original_speaker == str(ids[2])


async def test_words_are_removed_and_put_back(api: Api, owner: Database, database: Database) -> None:
    await analysed(owner, database)
    service = corrections_pb2_grpc.CorrectionServiceStub(api.channel)
    wanted = pb.SentenceText(remove=True, replaces="Wie geht es?")
    request = pb.CorrectSentenceRequest(file_hash=HASH, number=2, correction=wanted)
    removed = (await service.CorrectSentence(request, metadata=api.metadata)).sentence
    assert (removed.number, removed.text, removed.original_text) == (2, "", "Wie geht es?")
    assert [s.text for s in await sentences(api)] == ["Guten Morgen.", "", "Gut."]
    asked = insights_pb2.GetTranscriptionRequest(file_hash=HASH)
    answer = await insights_pb2_grpc.InsightsServiceStub(api.channel).GetTranscription(asked, metadata=api.metadata)
    assert [entry.transcription for entry in answer.transcription] == ["Guten Morgen.", "Gut."]
    listed = await service.ListCorrections(pb.ListCorrectionsRequest(file_hash=HASH), metadata=api.metadata)
    (made,) = listed.corrections
    assert (made.kind, made.former_text, made.text) == (pb.CORRECTION_KIND_WORDS, "Wie geht es?", "")
    # Removed once more it changes nothing, and what replaces it may say that it reads nothing.
    await service.CorrectSentence(request, metadata=api.metadata)
    back = pb.SentenceText(text="Wie geht es?", replaces="")
    request = pb.CorrectSentenceRequest(file_hash=HASH, number=2, correction=back)
    restored = (await service.CorrectSentence(request, metadata=api.metadata)).sentence
    assert (restored.text, restored.HasField("original_text")) == ("Wie geht es?", False)


async def test_the_history_is_read_in_pages_and_says_who_is_undone(
    api: Api, owner: Database, database: Database
) -> None:
    ids = await analysed(owner, database)
    service = corrections_pb2_grpc.CorrectionServiceStub(api.channel)
    words = pb.SentenceText(text="Guten Abend.")
    await service.CorrectSentence(
        pb.CorrectSentenceRequest(file_hash=HASH, number=1, correction=words), metadata=api.metadata
    )
    to_second = pb.SentenceSpeaker(speaker=str(ids[2]))
    await service.MoveSentence(
        pb.MoveSentenceRequest(file_hash=HASH, number=2, correction=to_second), metadata=api.metadata
    )
    other = (("authorization", f"Bearer {await api.token('Org', 'b@example.org')}"),)
    speakers = speakers_pb2_grpc.SpeakerServiceStub(api.channel)
    split = speakers_pb2.SplitSpeakerRequest(id=str(ids[2]), start=0, end=2200)
    await speakers.SplitSpeaker(split, metadata=other)
    merge = speakers_pb2.MergeSpeakersRequest(id=str(ids[3]), into=str(ids[1]))
    await speakers.MergeSpeakers(merge, metadata=other)
    await speakers.UndoSpeakerEdit(speakers_pb2.UndoSpeakerEditRequest(file_hash=HASH, number=4), metadata=other)
    first = await service.ListCorrections(pb.ListCorrectionsRequest(file_hash=HASH, page_size=2), metadata=api.metadata)
    second = await service.ListCorrections(
        pb.ListCorrectionsRequest(file_hash=HASH, page_size=2, page_token=first.next_page_token), metadata=api.metadata
    )
    assert second.next_page_token == ""
    listed = [*first.corrections, *second.corrections]
    assert [(c.number, c.kind, c.by_you, c.undone, c.from_speaker.id, c.to_speaker.id) for c in listed] == [
        (4, pb.CORRECTION_KIND_MERGE, False, True, str(ids[3]), str(ids[1])),
        (3, pb.CORRECTION_KIND_SPLIT, False, False, str(ids[2]), str(ids[3])),
        (2, pb.CORRECTION_KIND_MOVE, True, False, str(ids[1]), str(ids[2])),
        (1, pb.CORRECTION_KIND_WORDS, True, False, "", ""),
    ]
    assert (listed[1].start_ms, listed[1].end_ms) == (0, 2200)
    assert (listed[2].sentence, listed[3].sentence) == (2, 1)
    assert (listed[3].former_text, listed[3].text) == ("Guten Morgen.", "Guten Abend.")
    assert all(c.made_at.endswith("+00:00") for c in listed)


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("CorrectSentence", pb.CorrectSentenceRequest(number=1, correction=pb.SentenceText(text="x")), "file-hash"),
        ("CorrectSentence", pb.CorrectSentenceRequest(file_hash=HASH, number=1), "text"),
        ("CorrectSentence", pb.CorrectSentenceRequest(file_hash=HASH, correction=pb.SentenceText(text=" \n")), "text"),
        (
            "CorrectSentence",
            pb.CorrectSentenceRequest(file_hash=HASH, correction=pb.SentenceText(text="x" * 4001)),
            "text",
        ),
        (
            "CorrectSentence",
            pb.CorrectSentenceRequest(file_hash=HASH, correction=pb.SentenceText(text="a\x00b")),
            "text",
        ),
        (
            "CorrectSentence",
            pb.CorrectSentenceRequest(file_hash=HASH, correction=pb.SentenceText(text="x", remove=True)),
            "text",
        ),
        ("MoveSentence", pb.MoveSentenceRequest(file_hash=HASH, number=1), "speaker"),
        (
            "MoveSentence",
            pb.MoveSentenceRequest(
                file_hash=HASH, correction=pb.SentenceSpeaker(speaker=str(uuid4()), new_speaker=True)
            ),
            "speaker",
        ),
        ("MoveSentence", pb.MoveSentenceRequest(file_hash=HASH, correction=pb.SentenceSpeaker(speaker="")), "speaker"),
        ("ListCorrections", pb.ListCorrectionsRequest(), "file-hash"),
        ("ListCorrections", pb.ListCorrectionsRequest(file_hash=HASH, page_size=1001), "page_size"),
        ("ListCorrections", pb.ListCorrectionsRequest(file_hash=HASH, page_token="-1"), "page_token"),
        ("ListCorrections", pb.ListCorrectionsRequest(file_hash=HASH, page_token="9" * 10), "page_token"),
    ],
    ids=[
        "words-no-hash",
        "words-missing",
        "words-blank",
        "words-long",
        "words-control",
        "words-and-removed",
        "move-to-nobody",
        "move-to-both",
        "move-no-uuid",
        "list-no-hash",
        "list-page-size",
        "list-token-sign",
        "list-token-long",
    ],
)
async def test_a_field_that_is_wrong_is_named(api: Api, method: str, request_: Message, field: str) -> None:
    code, message = await refusal(api, method, request_)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert message.startswith(f"Bad request: {field}: ")


async def test_an_english_sentence_waits_for_the_text_models(api: Api, owner: Database, database: Database) -> None:
    await analysed(owner, database, "en")
    words = pb.SentenceText(text="Good evening.")
    request = pb.CorrectSentenceRequest(file_hash=HASH, number=1, correction=words)
    assert (await refusal(api, "CorrectSentence", request))[0] is grpc.StatusCode.UNAVAILABLE
    assert (await sentences(api))[0].text == "Guten Morgen."


async def test_a_reader_does_not_correct(api: Api, owner: Database, database: Database) -> None:
    await analysed(owner, database)
    await owner.run(lambda c: c.execute("UPDATE users SET role = 'reader'"))
    words = pb.CorrectSentenceRequest(file_hash=HASH, number=1, correction=pb.SentenceText(text="x"))
    move = pb.MoveSentenceRequest(file_hash=HASH, number=1, correction=pb.SentenceSpeaker(new_speaker=True))
    for method, request in (("CorrectSentence", words), ("MoveSentence", move)):
        assert (await refusal(api, method, request))[0] is grpc.StatusCode.PERMISSION_DENIED
