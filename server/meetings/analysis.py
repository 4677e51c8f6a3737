"""The analysis of one meeting: decode, stream through the session engine, fold, compute, store."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from meetra.inference.v1 import session_pb2
from numpy.typing import NDArray

from server.config import ServerSettings
from server.conversation import fold
from server.conversation.fold import Event
from server.insights import answers
from server.meetings.abstracts import SummaryWriter
from server.meetings.audio_log import AudioLog
from server.meetings.decoding import DecodedAudio, decode
from server.meetings.inference_client import InferenceClient, event_of
from server.meetings.lifecycle import Stage
from server.meetings.naming import recognise, spoken_names
from server.meetings.reading import read
from server.meetings.resampling import RATE_HZ
from server.storage import jobs, results, voices
from server.storage.jobs import Job
from server.storage.pool import Database

if TYPE_CHECKING:
    from server.storage.pool import Connection

# Shares of the progress bar: decoding is quick, the models are not.
DECODED_PERCENT, ANALYSED_PERCENT = 10, 95
EVENTS_AT_ONCE = 500
REPORT_EVERY_S = 1.0
# How long the database may be away before an analysis is given back to the queue.
DATABASE_PATIENCE_S = 60.0
VOICE_TASK = "speaker vectors"


@dataclass
class SessionSaid:
    """What a session said, with the voices apart: they are stored only where that is wanted."""

    events: list[Event] = field(default_factory=list)
    vectors: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """Unit vector of each speaker's voice."""
    voice_model: str = ""

    def take_vectors(self, response: session_pb2.RunSessionResponse) -> None:
        """Moves the voices out of the message, so that it can be stored."""
        if response.WhichOneof("event") == "ready":
            models = response.ready.capabilities.models
            self.voice_model = next((name for name in models if name.startswith(VOICE_TASK)), "")
        if response.WhichOneof("event") == "finished":
            for profile in response.finished.speakers:
                self.vectors[profile.speaker] = np.asarray(profile.vector, np.float32)
            del response.finished.speakers[:]


class Analyst:
    """Analyses meetings, each from its durable recording to its stored answers."""

    def __init__(self, database: Database, audio_log: AudioLog, settings: ServerSettings) -> None:
        self._database = database
        self._audio_log = audio_log
        self._max_duration_s = settings.max_duration_s
        self._summaries = SummaryWriter(settings)
        self.inference = InferenceClient(settings.inference_address)

    async def analyse(self, job: Job) -> None:
        """Makes the job's meeting ready.

        Raises:
            UnusableRecording, SessionRefused: the recording is at fault.
            SessionBroke: another attempt may succeed.
            JobLost: another worker has the job.
            DatabaseGone: the database was away too long.
        """
        audio = await self._decode(job)
        said = await self._run_session(job, audio)
        conversation = await asyncio.to_thread(fold, said.events)

        async def read_so_far(done: int, total: int) -> None:
            percent = ANALYSED_PERCENT + 3 * done // max(1, total)
            await self._report(job, Stage.READING, percent, f"Read {done} of {total} sentences")

        conversation = await read(conversation, self.inference, read_so_far)
        await self._report(job, Stage.STORING, ANALYSED_PERCENT + 3, "Storing the answers")
        written = await self._summaries.write(conversation)
        found = await asyncio.to_thread(answers, conversation, written)
        named = await asyncio.to_thread(spoken_names, conversation, job.meeting_id)
        message = "Ready"
        if audio.damaged:
            message = "Ready; parts of the recording were damaged and could not be decoded"

        async def finish(connection: Connection) -> None:
            rows, links = await recognise(
                connection, job.organization_id, said.voice_model, conversation, said.vectors, named
            )
            await results.finish(
                connection,
                job,
                conversation=conversation.to_document(),
                engine=asdict(conversation.engine),
                speakers_found=rows,
                answers=found,
                duration_ms=conversation.duration_us // 1000,
                message=message,
            )
            await voices.link(connection, links)

        await self._database.run(finish, patience_s=DATABASE_PATIENCE_S)

    async def _decode(self, job: Job) -> DecodedAudio:
        async def decoded(seconds: float) -> None:
            await self._report(job, Stage.DECODING, 5, f"Decoding the recording ({seconds:.0f} s so far)")

        return await decode(
            self._audio_log.original(job.organization_id, job.file_hash),
            self._audio_log.pcm(job.organization_id, job.file_hash),
            self._max_duration_s,
            decoded,
        )

    async def _run_session(self, job: Job, audio: DecodedAudio) -> SessionSaid:
        config = session_pb2.SessionConfig(
            session_label=str(job.meeting_id),
            sample_rate_hz=RATE_HZ,
            expected_speakers=job.n_speakers,
            language=job.language,
            total_samples=audio.samples,
        )
        clock = asyncio.get_running_loop().time
        next_report = clock()
        said = SessionSaid()
        unstored: list[tuple[int, bytes]] = []
        async for response in self.inference.run(config, audio.path):
            if response.WhichOneof("event") == "progress":
                if clock() >= next_report:
                    await self._report_session(job, response.progress, audio)
                    next_report = clock() + REPORT_EVERY_S
                continue
            event = event_of(response)
            if event is not None:
                said.events.append(event)
                said.take_vectors(response)
                unstored.append((response.event_seq, response.SerializeToString()))
            if len(unstored) >= EVENTS_AT_ONCE:
                await self._store_events(job, unstored)
                unstored = []
        await self._store_events(job, unstored)
        return said

    async def _store_events(self, job: Job, events: list[tuple[int, bytes]]) -> None:
        await self._database.run(
            lambda connection: results.append_events(connection, job, events), patience_s=DATABASE_PATIENCE_S
        )

    async def _report_session(self, job: Job, progress: session_pb2.Progress, audio: DecodedAudio) -> None:
        done = progress.processed_samples / max(1, audio.samples)
        percent = DECODED_PERCENT + int((ANALYSED_PERCENT - DECODED_PERCENT) * min(1.0, done))
        if progress.stage == Stage.CLUSTERING:
            await self._report(job, Stage.CLUSTERING, percent, "Telling the speakers apart")
        else:
            seconds = progress.processed_samples / RATE_HZ
            text = f"Analysed {seconds:.0f} of {audio.duration_s:.0f} s"
            await self._report(job, Stage.ANALYSING, percent, text)

    async def _report(self, job: Job, stage: Stage, percent: int, message: str) -> None:
        await self._database.run(
            lambda connection: jobs.report(connection, job, stage, percent, message), patience_s=DATABASE_PATIENCE_S
        )
