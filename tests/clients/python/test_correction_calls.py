"""Corrections by hand, against a real gRPC server that answers as it is told."""

from __future__ import annotations

from meetra.v1 import corrections_pb2 as pb
from meetra.v1 import speakers_pb2

from meetra_client import MeetraClient
from tests.clients.python.any_call_server import AnyCallServer

HASH = "f" * 64
Running = tuple[AnyCallServer, MeetraClient]


async def test_speakers_are_renamed_merged_and_split(any_call: Running) -> None:
    server, client = any_call
    server.answers["SplitSpeaker"] = [speakers_pb2.SplitSpeakerResponse(new_id="new")]
    await client.rename_speaker("one", "Ada")
    await client.merge_speakers("one", "other")
    assert (await client.split_speaker("one", 5, 90)).new_id == "new"
    assert server.requests == [
        speakers_pb2.RenameSpeakerRequest(id="one", name=speakers_pb2.SpeakerName(alias="Ada")),
        speakers_pb2.MergeSpeakersRequest(id="one", into="other"),
        speakers_pb2.SplitSpeakerRequest(id="one", start=5, end=90),
    ]


async def test_sentences_are_moved_and_corrected(any_call: Running) -> None:
    server, client = any_call
    await client.move_sentence(HASH, 3, "one")
    await client.move_sentence(HASH, 3)
    await client.correct_sentence(HASH, 4, "New.", replaces="Old.")
    await client.correct_sentence(HASH, 4, "New.")
    await client.remove_sentence(HASH, 4, replaces="New.")
    to_one, to_new, checked, unchecked, removed = server.requests
    assert to_one == pb.MoveSentenceRequest(file_hash=HASH, number=3, correction=pb.SentenceSpeaker(speaker="one"))
    assert to_new == pb.MoveSentenceRequest(file_hash=HASH, number=3, correction=pb.SentenceSpeaker(new_speaker=True))
    words = pb.SentenceText(text="New.", replaces="Old.")
    assert checked == pb.CorrectSentenceRequest(file_hash=HASH, number=4, correction=words)
    assert unchecked == pb.CorrectSentenceRequest(file_hash=HASH, number=4, correction=pb.SentenceText(text="New."))
    nothing = pb.SentenceText(remove=True, replaces="New.")
    assert removed == pb.CorrectSentenceRequest(file_hash=HASH, number=4, correction=nothing)


async def test_the_history_is_read_over_all_pages_and_undone_from_the_latest(any_call: Running) -> None:
    server, client = any_call
    server.answers["ListCorrections"] = [
        pb.ListCorrectionsResponse(corrections=[pb.Correction(number=3), pb.Correction(number=2)], next_page_token="2"),
        pb.ListCorrectionsResponse(corrections=[pb.Correction(number=1)]),
    ]
    assert [correction.number async for correction in client.corrections(HASH, page_size=2)] == [3, 2, 1]
    await client.undo_correction(HASH, 3)
    await client.undo_correction(HASH)
    await client.redo_correction(HASH, 3)
    *pages, latest, whichever, redone = server.requests
    assert redone == pb.RedoCorrectionRequest(file_hash=HASH, number=3)
    first = pb.ListCorrectionsRequest(file_hash=HASH, page_size=2)
    assert pages == [first, pb.ListCorrectionsRequest(file_hash=HASH, page_size=2, page_token="2")]
    assert latest == speakers_pb2.UndoSpeakerEditRequest(file_hash=HASH, number=3)
    assert whichever == speakers_pb2.UndoSpeakerEditRequest(file_hash=HASH)
