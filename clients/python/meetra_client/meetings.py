"""Recordings and finished meetings: upload, progress, transcript, speakers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing

from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import (
    export_pb2,
    export_pb2_grpc,
    insights_pb2,
    meetings_pb2,
    meetings_pb2_grpc,
    playback_pb2,
    playback_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
    speakers_pb2,
    speakers_pb2_grpc,
)

from meetra_client.credentials import Credentials
from meetra_client.errors import MeetingFailed, Unauthenticated
from meetra_client.insights import InsightCalls
from meetra_client.uploads import Progress, Recording, Upload, opened, recording_name

POLL_S = 0.5
SETTLED = ("ready", "failed")


class MeetingCalls:
    """The part of ``MeetraClient`` for recordings and finished meetings, which ``file_hash`` names.

    Every method raises Unauthenticated, PermissionDenied, Unreachable or another MeetraError; those of one meeting also
    MeetingNotFound.
    """

    def __init__(self, channel: aio.Channel, credentials: Credentials) -> None:
        self._credentials = credentials
        self._meetings = meetings_pb2_grpc.MeetingServiceStub(channel)
        self._speakers = speakers_pb2_grpc.SpeakerServiceStub(channel)
        self._export = export_pb2_grpc.ExportServiceStub(channel)
        self._playback = playback_pb2_grpc.PlaybackServiceStub(channel)
        self._search = search_pb2_grpc.SearchServiceStub(channel)
        self.insights = InsightCalls(channel)

    async def upload(
        self,
        recording: Recording,
        *,
        name: str = "",
        date: str = "",
        n_speakers: int = 0,
        language: str = "",
        key_terms: Sequence[str] = (),
        channels: str = "",
        consent: Sequence[str] = (),
        redact: str = "",
        progress: Progress | None = None,
    ) -> meetings_pb2.UploadMeetingResponse:
        """Upload a recording of any common kind of audio or video; return once it is durable.

        The server says at once, before the recording is sent, if it is too large. An upload is not repeated by itself;
        to repeat it is safe: the same bytes are the same meeting.

        Args:
            recording: a path, the bytes, or a file open for reading.
            name: of the meeting; default: the file's.
            date: when it took place, ISO 8601.
            n_speakers: number of people, if known; 0: estimated.
            language: spoken language, such as ``en``; empty: detected.
            key_terms: names and terms that may occur.
            channels: ``separate`` where each channel is one participant; empty: mixed.
            consent: who consented, and how: ``who; how`` or ``who; how; when`` each.
            redact: kinds to redact besides the organization's, separated by commas: email, phone, card, iban, name.
            progress: called with the bytes sent and their total.

        Raises BadRequest, FileTooLarge, RecordingTooLong, QuotaExceeded, StorageFull, ChannelsDiffer, RedactionDiffers,
        ConsentRequired, OSError, or another MeetraError.
        """
        details = meetings_pb2.UploadMeetingRequest(
            body=httpbody_pb2.HttpBody(content_type="application/octet-stream"),
            name=name or recording_name(recording),
            date=date,
            n_speakers=n_speakers,
            language=language,
            key_terms=key_terms,
            channels=channels,
            consent=consent,
            redact=redact,
        )
        with opened(recording) as file:
            upload = Upload(file, details, progress)
            size = (("x-content-length", str(upload.size_bytes)),)
            try:
                return await self._meetings.UploadMeeting(upload.requests(), metadata=size)
            except Unauthenticated:
                # A recording can be sent from its beginning again, unlike any other stream.
                if not self._credentials.can_renew:
                    raise
                self._credentials.expire()
                return await self._meetings.UploadMeeting(upload.requests(), metadata=size)

    async def status(self, file_hash: str) -> meetings_pb2.GetMeetingStatusResponse:
        """Return the state and progress of a meeting."""
        return await self._meetings.GetMeetingStatus(meetings_pb2.GetMeetingStatusRequest(file_hash=file_hash))

    async def states(
        self, file_hash: str, *, every_s: float = POLL_S
    ) -> AsyncIterator[meetings_pb2.GetMeetingStatusResponse]:
        """Yield the state of a meeting every ``every_s`` seconds, until it is ready or failed."""
        while True:
            state = await self.status(file_hash)
            yield state
            if state.status in SETTLED:
                return
            await asyncio.sleep(every_s)

    async def wait(
        self, file_hash: str, *, progress: Callable[[meetings_pb2.GetMeetingStatusResponse], object] | None = None
    ) -> meetings_pb2.GetMeetingStatusResponse:
        """Wait until a meeting is ready, and return its state.

        Args:
            file_hash: the meeting.
            progress: called with each state that differs from the one before; ``progress_percent`` is 0..100.

        Raises MeetingFailed with the reason if its analysis failed, and MeetraError.
        """
        last = None
        async for state in self.states(file_hash):
            if progress is not None and state != last:
                progress(state)
            last = state
        assert last is not None
        if last.status == "failed":
            raise MeetingFailed(last.message)
        return last

    async def meetings(self, *, page_size: int = 100) -> AsyncIterator[meetings_pb2.MeetingSummary]:
        """Yield the meetings of the organization, the newest first, fetched in pages of ``page_size``."""
        request = meetings_pb2.ListMeetingsRequest(page_size=page_size)
        while True:
            page = await self._meetings.ListMeetings(request)
            for meeting in page.meetings:
                yield meeting
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def search(
        self,
        query: str,
        *,
        by: str = "",
        speaker: str = "",
        date_from: str = "",
        date_to: str = "",
        topic: str = "",
        language: str = "",
        file_hash: str = "",
        limit: int = 0,
    ) -> search_pb2.SearchMeetingsResponse:
        """Return sentences of the organization's finished meetings that have words of a query or mean the like.

        Args:
            query: words or a question; phrases in quotes are required, words with a hyphen before them excluded.
            by: ``words``, ``meaning``, or empty: both.
            speaker: part of a speaker's name.
            date_from: the first day of meetings, as ``2026-11-23``.
            date_to: the last one.
            topic: part of the name of a topic, or of one of its keywords.
            language: of sentences, such as ``de``.
            file_hash: one meeting.
            limit: how many sentences, 1..100; 0: 20.

        Raises BadRequest, SearchOverloaded, or another MeetraError.
        """
        return await self._search.SearchMeetings(
            search_pb2.SearchMeetingsRequest(
                query=query,
                by=by,
                speaker=speaker,
                date_from=date_from,
                date_to=date_to,
                topic=topic,
                language=language,
                file_hash=file_hash,
                limit=limit,
            )
        )

    async def delete(self, file_hash: str, *, undo_seconds: int = 0) -> None:
        """Delete a meeting in any state, for good.

        Args:
            undo_seconds: for how long the deletion waits and ``restore`` can call it off: 1 to 3600; 0: not at all.
        """
        request = meetings_pb2.DeleteMeetingRequest(file_hash=file_hash, undo_seconds=undo_seconds)
        await self._meetings.DeleteMeeting(request)

    async def restore(self, file_hash: str) -> None:
        """Call off a deletion that waits. Raises MeetingNotFound once the meeting is deleted."""
        await self._meetings.RestoreMeeting(meetings_pb2.RestoreMeetingRequest(file_hash=file_hash))

    async def transcript(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> insights_pb2.GetTranscriptionResponse:
        """Return who said what, and when.

        Args:
            file_hash: the meeting.
            details: add the words with their times, and what engine recognised them.
            live: of a live meeting that runs, return what is known so far; see ``insights``.

        Raises MeetingStillProcessing, MeetingFailed, TranscriptDeleted, or another MeetraError.
        """
        return await self.insights.transcript(file_hash, details=details, live=live)

    async def export_meeting(self, file_hash: str, format: str) -> AsyncIterator[bytes]:
        """Yield the pieces of a finished meeting as a file.

        Args:
            file_hash: the meeting.
            format: ``srt``, ``vtt``, ``txt``, ``md``, ``docx``, ``pdf``, ``turns.csv``, ``words.csv``, ``scores.csv``,
                ``rttm``, ``ctm``, ``stm``, ``textgrid``, ``eaf`` or ``json``.

        Raises BadRequest, MeetingStillProcessing, MeetingFailed, TranscriptDeleted, DocumentNotMade, or another
        MeetraError.
        """
        request = export_pb2.ExportMeetingRequest(file_hash=file_hash, format=format)
        async with aclosing(self._export.ExportMeeting(request)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield piece.body.data

    async def meeting_audio(self, file_hash: str, variant: str = "normalised", track: int = 0) -> AsyncIterator[bytes]:
        """Yield the pieces of a meeting's sound.

        Args:
            file_hash: the meeting.
            variant: ``normalised``: Opus in WebM, mono, silent where redacted; ``redacted``: the same of a redacted
                meeting; ``original``: what was uploaded, or one track of a live meeting as it was received.
            track: of a live meeting, from 0; for ``original``.

        Raises BadRequest, MeetingStillProcessing, MeetingFailed, AudioDeleted, AudioUnavailable, or another
        MeetraError.
        """
        request = playback_pb2.GetMeetingAudioRequest(file_hash=file_hash, variant=variant, track=track)
        async with aclosing(self._playback.GetMeetingAudio(request)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield piece.body.data

    async def speakers(
        self, file_hash: str, *, details: bool = False, live: bool = False
    ) -> speakers_pb2.ListSpeakersResponse:
        """Return the speakers of a meeting, with ``live`` those known so far of one that runs.

        Raises MeetingStillProcessing, MeetingFailed, or another MeetraError.
        """
        return await self._speakers.ListSpeakers(
            speakers_pb2.ListSpeakersRequest(file_hash=file_hash, include_details=details, live=live)
        )
