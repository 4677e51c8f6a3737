"""Calls that correct finished meetings: who spoke, what was said, and the history of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from grpc import aio
from meetra.v1 import corrections_pb2 as pb
from meetra.v1 import corrections_pb2_grpc, speakers_pb2, speakers_pb2_grpc


class CorrectionCalls:
    """The part of ``MeetraClient`` for corrections by hand.

    Every answer of the meeting follows at once. Sentences are known by ``number`` of the
    ``transcript(file_hash, details=True).details.sentences``. Every method raises Unauthenticated, PermissionDenied,
    TranscriptDeleted, TooManyCorrections, Unreachable or another MeetraError; those of one meeting also
    MeetingNotFound.
    """

    def __init__(self, channel: aio.Channel) -> None:
        self._corrections = corrections_pb2_grpc.CorrectionServiceStub(channel)
        self._corrected_speakers = speakers_pb2_grpc.SpeakerServiceStub(channel)

    async def rename_speaker(self, speaker_id: str, alias: str) -> None:
        """Give a speaker a name, in all answers. Raises BadRequest, SpeakerNotFound, or another MeetraError."""
        name = speakers_pb2.SpeakerName(alias=alias)
        await self._corrected_speakers.RenameSpeaker(speakers_pb2.RenameSpeakerRequest(id=speaker_id, name=name))

    async def merge_speakers(self, speaker_id: str, into: str) -> speakers_pb2.MergeSpeakersResponse:
        """Give everything that a speaker said to the speaker ``into`` of the same meeting.

        Raises BadRequest, SpeakerNotFound, or another MeetraError.
        """
        return await self._corrected_speakers.MergeSpeakers(speakers_pb2.MergeSpeakersRequest(id=speaker_id, into=into))

    async def split_speaker(self, speaker_id: str, start_ms: int, end_ms: int) -> speakers_pb2.SplitSpeakerResponse:
        """Give what a speaker said in a span to a new speaker, whose id is ``new_id`` of the answer.

        Args:
            speaker_id: the speaker.
            start_ms, end_ms: the span, milliseconds from the start of the meeting.

        Raises BadRequest, SpeakerNotFound, or another MeetraError.
        """
        return await self._corrected_speakers.SplitSpeaker(
            speakers_pb2.SplitSpeakerRequest(id=speaker_id, start=start_ms, end=end_ms)
        )

    async def move_sentence(
        self, file_hash: str, number: int, speaker_id: str | None = None
    ) -> pb.MoveSentenceResponse:
        """Give a sentence to another speaker of the meeting; without ``speaker_id``, to a new one.

        Raises BadRequest, SentenceNotFound, SpeakerNotFound, or another MeetraError.
        """
        said_by = pb.SentenceSpeaker(speaker=speaker_id, new_speaker=speaker_id is None)
        return await self._corrections.MoveSentence(
            pb.MoveSentenceRequest(file_hash=file_hash, number=number, correction=said_by)
        )

    async def correct_sentence(
        self, file_hash: str, number: int, text: str, *, replaces: str | None = None
    ) -> pb.CorrectSentenceResponse:
        """Replace the words of a sentence.

        Args:
            file_hash: the meeting.
            number: of the sentence.
            text: what was said, with capitals and punctuation; at most 4000 characters.
            replaces: what the sentence read when it was shown; None: it is replaced whatever it reads.

        Raises BadRequest, SentenceNotFound, SentenceChanged if it reads otherwise by now, or another MeetraError.
        """
        words = pb.SentenceText(text=text, replaces=replaces)
        return await self._corrections.CorrectSentence(
            pb.CorrectSentenceRequest(file_hash=file_hash, number=number, correction=words)
        )

    async def remove_sentence(
        self, file_hash: str, number: int, *, replaces: str | None = None
    ) -> pb.CorrectSentenceResponse:
        """Remove the words of a sentence that nobody said; it keeps its number and its ``original_text``.

        Args:
            file_hash: the meeting.
            number: of the sentence.
            replaces: what the sentence read when it was shown; None: it is removed whatever it reads.

        Raises SentenceNotFound, SentenceChanged if it reads otherwise by now, or another MeetraError.
        """
        removed = pb.SentenceText(remove=True, replaces=replaces)
        return await self._corrections.CorrectSentence(
            pb.CorrectSentenceRequest(file_hash=file_hash, number=number, correction=removed)
        )

    async def corrections(self, file_hash: str, *, page_size: int = 100) -> AsyncIterator[pb.Correction]:
        """Yield the corrections of a meeting, the latest first, undone ones too, in pages of ``page_size``."""
        request = pb.ListCorrectionsRequest(file_hash=file_hash, page_size=page_size)
        while True:
            page = await self._corrections.ListCorrections(request)
            for correction in page.corrections:
                yield correction
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def undo_correction(self, file_hash: str, number: int | None = None) -> speakers_pb2.UndoSpeakerEditResponse:
        """Undo the latest correction of a meeting; names are in no history.

        Args:
            file_hash: the meeting.
            number: ``Correction.number`` of the one that must be the latest in force; None: whichever is.

        Raises BadRequest if there is nothing to undo, CorrectionNotLatest, or another MeetraError.
        """
        return await self._corrected_speakers.UndoSpeakerEdit(
            speakers_pb2.UndoSpeakerEditRequest(file_hash=file_hash, number=number)
        )

    async def redo_correction(self, file_hash: str, number: int | None = None) -> pb.RedoCorrectionResponse:
        """Make once more the correction that was undone last; a new one ends that.

        Args:
            file_hash: the meeting.
            number: ``Correction.number`` of the one with ``can_redo``; None: whichever it is.

        Raises BadRequest if there is nothing to redo, CorrectionNotNext, or another MeetraError.
        """
        return await self._corrections.RedoCorrection(pb.RedoCorrectionRequest(file_hash=file_hash, number=number))
