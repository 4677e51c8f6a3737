"""The analysis of one meeting: decode, stream through the engine, fold, compute, store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from uuid import UUID

import numpy as np
from meetra.inference.v2 import session_pb2
from numpy.typing import NDArray

from monitoring import step
from server.analysis.audio_quota import DATABASE_PATIENCE_S, AudioQuota, MinutesUsedUp
from server.analysis.copied_speech import find_copies
from server.analysis.llm_summaries import SummaryWriter
from server.analysis.notice import build_notice, format_ready_message
from server.analysis.parts import PcmParts, join_parts
from server.analysis.recording import AudioTrack, Recording, SessionResult, build_conversation
from server.analysis.redaction import RedactedConversation, known_voice_names, meeting_names, redact_conversation
from server.analysis.speaker_naming import name_speakers, recognise_voices
from server.analysis.text_analysis import analyse_text
from server.analysis.uploaded_recording import recording_from_upload
from server.audio import UPLOADED, AudioLog, DecodedAudio, RecordingMissing, decode, find_decoded, measure_level
from server.conversation import Conversation, Heard, RedactionKind
from server.disk import DiskReserve, detect_full_disk
from server.engine import InferenceClient
from server.fair_slots import FairSlots
from server.insights import compute_answers
from server.lifecycle import Stage
from server.media import RATE_HZ
from server.monitoring import ANALYSED_AUDIO, ANALYSIS_RTF, ANALYSIS_SECONDS
from server.search import index_meeting
from server.storage import Connection, Database, Job, StoredRedaction, jobs, live_names, quotas, results, voices

# Progress at the end of decoding and of the models, percent: decoding is fast, the models are not.
DECODED_PERCENT, ANALYSED_PERCENT = 10, 95
REPORT_EVERY_S = 1.0

FindLiveRecording = Callable[[Job], Awaitable[Recording | None]]


@dataclass(frozen=True, slots=True)
class Decoding:
    """What decoding an uploaded recording may take."""

    max_duration_s: float
    """Maximum length of a recording."""
    max_bytes: int
    """Maximum size of all decoded tracks of a recording together."""
    disk: DiskReserve
    """The disk of the audio log."""
    places: FairSlots[UUID]
    """Places for decoder processes."""


class MeetingAnalyzer:
    """Analyse meetings, from durable recordings to stored answers."""

    def __init__(
        self,
        database: Database,
        audio_log: AudioLog,
        inference: InferenceClient,
        summaries: SummaryWriter,
        find_live_recording: FindLiveRecording,
        decoding: Decoding,
        quota: AudioQuota,
    ) -> None:
        """
        Args:
            find_live_recording: returns the recording of a live meeting, None for an uploaded one.
        """
        self._database = database
        self._find_live_recording = find_live_recording
        self._audio_log = audio_log
        self._decoding = decoding
        self._quota = quota
        self._summaries = summaries
        self.inference = inference

    async def analyse(self, job: Job) -> None:
        """Analyse the job's meeting and make it ready.

        Raises:
            UnusableRecording, SessionRefused: the recording is at fault.
            DecoderDied: a decoder process died.
            MinutesUsedUp: the organization's quota of the day is used up.
            DiskFull: the disk has no room for the decoded audio.
            RecordingMissing, StoreUnavailable: the recording is not where it is kept, or the store is away.
            SessionBroke: another attempt may succeed.
            JobLost: another worker has the job.
            DatabaseUnavailable: the database was unreachable for too long.
        """
        began = time.monotonic()
        recording = await self._recording(job)
        session_results = [await self._run_session(job, recording, index) for index in range(len(recording.tracks))]
        meeting_s = await self.conclude(job, recording, session_results)
        took_s = time.monotonic() - began
        ANALYSIS_SECONDS.observe(took_s)
        ANALYSED_AUDIO.inc(meeting_s * len(recording.tracks))
        if meeting_s > 0:
            ANALYSIS_RTF.observe(took_s / meeting_s)

    async def conclude(self, job: Job, recording: Recording, session_results: list[SessionResult]) -> float:
        """Make the job's meeting ready from its sessions' results, one per track. Raises as ``analyse``.

        Returns the meeting's length, seconds.
        """
        with step("build the conversation", **ids_of(job)):
            copies = await find_copies(recording.tracks, session_results)
            conversation, vectors = await asyncio.to_thread(build_conversation, recording, session_results, copies)
        redaction: StoredRedaction | None = None
        if job.redact:
            # Everything below is made of what this returns.
            heard: Conversation | None = None
            if any(Heard.COPY in frames for frames in copies):
                # Copies are in no text, and in the audio all the same.
                heard, _ = await asyncio.to_thread(build_conversation, recording, session_results)
            redacted = await self._redact(job, recording, conversation, session_results[0], vectors, heard)
            conversation, redaction = redacted.conversation, redacted.stored
        hide_names = RedactionKind.NAME in job.redact

        async def report_sentences(done: int, total: int) -> None:
            percent = ANALYSED_PERCENT + 3 * done // max(1, total)
            await self._report(job, Stage.READING, percent, f"Analysed {done} of {total} sentences")

        with step("read the sentences", **ids_of(job)):
            conversation = await analyse_text(conversation, self.inference, report_sentences)
        await self._report(job, Stage.STORING, ANALYSED_PERCENT + 3, "Storing the results")
        with step("write summaries", **ids_of(job)):
            written = await self._summaries.write(conversation)
        with step("compute the answers", **ids_of(job)):
            new_answers = await asyncio.to_thread(compute_answers, conversation, *(written or ()))
        speakers = await asyncio.to_thread(
            name_speakers,
            conversation,
            job.meeting_id,
            recording.names,
            recording.given_names,
            recording.room_names,
            hide_names=hide_names,
        )
        notice = build_notice(conversation, recording, session_results, job.language)

        async def finish(connection: Connection) -> None:
            rows, links = await recognise_voices(
                connection, job.organization_id, session_results[0], vectors, speakers, hide_names=hide_names
            )
            if recording.given_names:
                await live_names.forget(connection, job.meeting_id)
            await results.finish(
                connection,
                job,
                conversation=conversation.to_document(),
                engine=asdict(conversation.engine),
                speakers_found=rows,
                answers=new_answers,
                duration_ms=conversation.duration_us // 1000,
                language=conversation.language,
                language_confidence=conversation.language_confidence,
                speech_found=notice.speech_found,
                notice=notice.text,
                message=format_ready_message(recording.remark, notice),
                redaction=redaction,
            )
            await voices.link_speakers(connection, links)
            await index_meeting(connection, job.organization_id, job.meeting_id, conversation, new_answers)
            # Live audio; uploaded audio was counted before.
            audio_ms = conversation.duration_us // 1000 * len(recording.tracks)
            await quotas.count_audio(connection, job.organization_id, job.file_hash, audio_ms)

        with step("store the results", **ids_of(job)):
            await self._database.run(finish, organization_id=job.organization_id, patience_s=DATABASE_PATIENCE_S)
        return conversation.duration_us / 1e6

    async def _redact(
        self,
        job: Job,
        recording: Recording,
        conversation: Conversation,
        result: SessionResult,
        vectors: Mapping[int, NDArray[np.float32]],
        heard: Conversation | None,
    ) -> RedactedConversation:
        names: set[str] = set()
        if RedactionKind.NAME in job.redact:
            voice_names = await known_voice_names(self._database, job, result, vectors)
            names = await asyncio.to_thread(meeting_names, recording, conversation, voice_names)
        return await asyncio.to_thread(
            redact_conversation, conversation, recording.track_count, job.redact, names, job.name, heard=heard
        )

    async def _recording(self, job: Job) -> Recording:
        recorded = await self._find_live_recording(job)
        if recorded is not None:
            return recorded
        async with self._decoding.places.place(job.organization_id):
            with step("decode the recording", **ids_of(job)):
                audio = await self._decode(job)
        try:
            await self._quota.count(job, sum(track.samples for track in audio.tracks) * 1000 // RATE_HZ)
        except MinutesUsedUp:
            # Until tomorrow it would only take room.
            await asyncio.to_thread(self._audio_log.remove_decoded, job.organization_id, job.file_hash)
            raise
        return recording_from_upload(audio, job)

    async def _decode(self, job: Job) -> DecodedAudio:
        async def report_decoded(seconds: float) -> None:
            await self._report(job, Stage.DECODING, 5, f"Decoding the recording ({seconds:.0f} s so far)")

        target = self._audio_log.pcm(job.organization_id, job.file_hash)
        if (decoded := await asyncio.to_thread(find_decoded, target, job.channels)) is not None:
            return decoded
        async with self._audio_log.kept.local(job.organization_id, job.file_hash, UPLOADED) as source:
            if source is None:
                raise RecordingMissing
            with detect_full_disk():
                await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            return await decode(
                source,
                target,
                self._decoding.max_duration_s,
                report_decoded,
                job.channels,
                max_bytes=self._decoding.max_bytes,
                disk=self._decoding.disk,
            )

    async def _run_session(self, job: Job, recording: Recording, index: int) -> SessionResult:
        track = recording.tracks[index]
        terms = job.key_terms if track.key_terms is None else track.key_terms
        config = session_config(
            job.meeting_id, job.organization_id, job.language, terms, track, live=False, bulk=job.others_wait
        )
        clock = asyncio.get_running_loop().time
        next_report = clock()
        results: list[tuple[int, SessionResult]] = []
        audio = PcmParts(track.pcm(), track.cuts)
        while (first := await audio.next_part()) is not None:
            result = SessionResult()
            pcm = measure_level(audio.chunks(), result.level)
            async with aclosing(pcm), aclosing(self.inference.run(config, pcm)) as responses:
                async for response in responses:
                    if response.WhichOneof("event") == "progress":
                        if clock() >= next_report:
                            await self._report_session(job, response.progress, recording, index, first)
                            next_report = clock() + REPORT_EVERY_S
                    else:
                        result.collect(response)
            results.append((first, result))
        return join_parts(results)

    async def _report_session(
        self, job: Job, progress: session_pb2.Progress, recording: Recording, index: int, first: int
    ) -> None:
        total = max(1, sum(track.samples for track in recording.tracks))
        before = sum(track.samples for track in recording.tracks[:index]) + first
        done_samples = before + progress.processed_samples
        percent = DECODED_PERCENT + int((ANALYSED_PERCENT - DECODED_PERCENT) * min(1.0, done_samples / total))
        if progress.stage == session_pb2.STAGE_CLUSTERING:
            await self._report(job, Stage.CLUSTERING, percent, "Distinguishing the speakers")
        else:
            await self.report_analysed(job, done_samples, total)

    async def report_analysed(self, job: Job, done_samples: int, total_samples: int) -> None:
        """Store that so many samples at 16 kHz are analysed. Raises JobLost, DatabaseUnavailable."""
        share = min(1.0, done_samples / max(1, total_samples))
        text = f"Analysed {done_samples / RATE_HZ:.0f} of {total_samples / RATE_HZ:.0f} s"
        percent = DECODED_PERCENT + int((ANALYSED_PERCENT - DECODED_PERCENT) * share)
        await self._report(job, Stage.ANALYSING, percent, text)

    async def _report(self, job: Job, stage: Stage, percent: int, message: str) -> None:
        await self._database.run(
            lambda connection: jobs.report(connection, job, stage, percent, message),
            organization_id=job.organization_id,
            patience_s=DATABASE_PATIENCE_S,
        )


def ids_of(job: Job) -> dict[str, str]:
    """Return whose job it is, for its spans."""
    return {"meeting": str(job.meeting_id), "organization": str(job.organization_id)}


def session_config(
    meeting_id: UUID,
    organization_id: UUID,
    language: str,
    key_terms: Sequence[str],
    track: AudioTrack,
    *,
    live: bool,
    bulk: bool = False,
) -> session_pb2.SessionConfig:
    """Return the engine session's config for a track.

    Args:
        language: BCP 47 tag; empty to have it detected.
        key_terms: terms to bias recognition with.
        live: whether the audio arrives in real time.
        bulk: whether other recordings of the organization wait too.
    """
    return session_pb2.SessionConfig(
        session_label=str(meeting_id),
        sample_rate_hz=RATE_HZ,
        expected_speakers=track.expected_speakers,
        language=language,
        total_samples=track.samples or None,
        live=live,
        key_terms=key_terms,
        organization=str(organization_id),
        bulk=bulk,
    )
