"""The analysis of one meeting: decode, stream through the engine, fold, compute, store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from uuid import UUID

from meetra.inference.v2 import session_pb2

from server.analysis.llm_summaries import SummaryWriter
from server.analysis.notice import notice_of, ready_message
from server.analysis.recording import AudioTrack, Recording, SessionResult, conversation_of
from server.analysis.speaker_naming import recognise, spoken_names
from server.analysis.text_analysis import read
from server.analysis.uploaded_recording import recording_of
from server.audio import AudioLog, DecodedAudio, decode, metered
from server.engine import InferenceClient
from server.insights import answers
from server.lifecycle import Stage
from server.media import RATE_HZ
from server.storage import Connection, Database, Job, jobs, results, voices

# Progress at the end of decoding and of the models, percent: decoding is fast, the models are not.
DECODED_PERCENT, ANALYSED_PERCENT = 10, 95
REPORT_EVERY_S = 1.0
# Seconds the database may be unreachable before an analysis returns to the queue.
DATABASE_PATIENCE_S = 60.0

RecordedLive = Callable[[Job], Awaitable[Recording | None]]


class MeetingAnalyzer:
    """Analyse meetings, from durable recordings to stored answers."""

    def __init__(
        self,
        database: Database,
        audio_log: AudioLog,
        inference: InferenceClient,
        summaries: SummaryWriter,
        recorded_live: RecordedLive,
        max_duration_s: float,
    ) -> None:
        """
        Args:
            recorded_live: returns the recording of a live meeting, None for an uploaded one.
            max_duration_s: maximum length of a recording, seconds.
        """
        self._database = database
        self._recorded_live = recorded_live
        self._audio_log = audio_log
        self._max_duration_s = max_duration_s
        self._summaries = summaries
        self.inference = inference

    async def analyse(self, job: Job) -> None:
        """Analyse the job's meeting and make it ready.

        Raises:
            UnusableRecording, SessionRefused: the recording is at fault.
            DecoderDied: a decoder process died.
            SessionBroke: another attempt may succeed.
            JobLost: another worker has the job.
            DatabaseGone: the database was unreachable for too long.
        """
        recording = await self._recording(job)
        said = [await self._run_session(job, recording, place) for place in range(len(recording.tracks))]
        await self.conclude(job, recording, said)

    async def conclude(self, job: Job, recording: Recording, said: list[SessionResult]) -> None:
        """Make the job's meeting ready from its sessions' results, one per track. Raises as ``analyse``."""
        conversation, vectors = await asyncio.to_thread(conversation_of, recording, said)

        async def read_so_far(done: int, total: int) -> None:
            percent = ANALYSED_PERCENT + 3 * done // max(1, total)
            await self._report(job, Stage.READING, percent, f"Read {done} of {total} sentences")

        conversation = await read(conversation, self.inference, read_so_far)
        await self._report(job, Stage.STORING, ANALYSED_PERCENT + 3, "Storing the answers")
        written = await self._summaries.write(conversation)
        found = await asyncio.to_thread(answers, conversation, written)
        named = await asyncio.to_thread(spoken_names, conversation, job.meeting_id, recording.names)
        notice = notice_of(conversation, recording, said, job.language)

        async def finish(connection: Connection) -> None:
            rows, links = await recognise(connection, job.organization_id, said[0], vectors, named)
            await results.finish(
                connection,
                job,
                conversation=conversation.to_document(),
                engine=asdict(conversation.engine),
                speakers_found=rows,
                answers=found,
                duration_ms=conversation.duration_us // 1000,
                language=conversation.language,
                language_confidence=conversation.language_confidence,
                speech_found=notice.speech_found,
                notice=notice.text,
                message=ready_message(recording.remark, notice),
            )
            await voices.link(connection, links)

        await self._database.run(finish, patience_s=DATABASE_PATIENCE_S)

    async def _recording(self, job: Job) -> Recording:
        recorded = await self._recorded_live(job)
        if recorded is not None:
            return recorded
        return recording_of(await self._decode(job), job)

    async def _decode(self, job: Job) -> DecodedAudio:
        async def decoded(seconds: float) -> None:
            await self._report(job, Stage.DECODING, 5, f"Decoding the recording ({seconds:.0f} s so far)")

        return await decode(
            self._audio_log.original(job.organization_id, job.file_hash),
            self._audio_log.pcm(job.organization_id, job.file_hash),
            self._max_duration_s,
            decoded,
            job.channels,
        )

    async def _run_session(self, job: Job, recording: Recording, place: int) -> SessionResult:
        track = recording.tracks[place]
        config = session_config(job.meeting_id, job.language, job.key_terms, track, live=False)
        clock = asyncio.get_running_loop().time
        next_report = clock()
        said = SessionResult()
        pcm = metered(track.pcm(), said.level)
        async with aclosing(pcm), aclosing(self.inference.run(config, pcm)) as responses:
            async for response in responses:
                if response.WhichOneof("event") == "progress":
                    if clock() >= next_report:
                        await self._report_session(job, response.progress, recording, place)
                        next_report = clock() + REPORT_EVERY_S
                else:
                    said.take(response)
        return said

    async def _report_session(self, job: Job, progress: session_pb2.Progress, recording: Recording, place: int) -> None:
        total = max(1, sum(track.samples for track in recording.tracks))
        before = sum(track.samples for track in recording.tracks[:place])
        done = before + progress.processed_samples
        percent = DECODED_PERCENT + int((ANALYSED_PERCENT - DECODED_PERCENT) * min(1.0, done / total))
        if progress.stage == session_pb2.STAGE_CLUSTERING:
            await self._report(job, Stage.CLUSTERING, percent, "Telling the speakers apart")
        else:
            text = f"Analysed {done / RATE_HZ:.0f} of {total / RATE_HZ:.0f} s"
            await self._report(job, Stage.ANALYSING, percent, text)

    async def _report(self, job: Job, stage: Stage, percent: int, message: str) -> None:
        await self._database.run(
            lambda connection: jobs.report(connection, job, stage, percent, message), patience_s=DATABASE_PATIENCE_S
        )


def session_config(
    meeting_id: UUID, language: str, key_terms: Sequence[str], track: AudioTrack, *, live: bool
) -> session_pb2.SessionConfig:
    """Return the engine session's config for a track.

    Args:
        language: BCP 47 tag; empty to have it detected.
        key_terms: terms to bias recognition with.
        live: whether the audio arrives in real time.
    """
    return session_pb2.SessionConfig(
        session_label=str(meeting_id),
        sample_rate_hz=RATE_HZ,
        expected_speakers=track.expected_speakers,
        language=language,
        total_samples=track.samples or None,
        live=live,
        key_terms=key_terms,
    )
