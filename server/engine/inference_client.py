"""The client of inference sessions: sends audio, receives events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from grpc import StatusCode, aio
from meetra.inference.v2 import language_pb2, language_pb2_grpc, model_pb2, session_pb2, session_pb2_grpc

from monitoring import trace_metadata
from privacy import MutualTls
from server.conversation import (
    Acoustics,
    EngineCapabilities,
    Event,
    FinishedEvent,
    Interval,
    ReadyEvent,
    Segment,
    TurnEvent,
    TurnState,
    Word,
    primary_tag,
)
from server.engine.model_labels import model_label, task_model_label
from server.engine.transport import open_channel

CHUNK_SAMPLES = 16_000
BYTES_PER_SAMPLE = 2
SENTENCES_TIMEOUT_S = 120.0
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    # Detects a dead replica within 30 s. (In gRPC 1.85 the second option has no effect without the third: grpc#39239.)
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class SessionBroke(Exception):
    """The session ended before it finished; another one may succeed."""


class EngineBusy(SessionBroke):
    """No session was opened: the engine is at its limit or shutting down. Unrelated to the audio."""


class SessionRefused(Exception):
    """The engine rejects the recording or its settings; another session would be rejected too."""


class Flush:
    """Among the audio of a session: tell what is known of it so far."""


FLUSH = Flush()


class SentenceVector(NamedTuple):
    """What a text means."""

    model: str
    """Label of the model: vectors of different models cannot be compared."""
    vector: tuple[float, ...]
    """Of unit length."""


class InferenceClient:
    """Open sessions on the inference server at one address."""

    def __init__(self, address: str, tls: MutualTls | None = None) -> None:
        """``tls``: None for plain text."""
        self._channel = open_channel(address, tls, CHANNEL_OPTIONS)
        self._stub = session_pb2_grpc.SessionServiceStub(self._channel)
        self._language = language_pb2_grpc.LanguageServiceStub(self._channel)
        self.capabilities: session_pb2.Capabilities | None = None
        """The server's latest reported capabilities; None before the first report."""

    async def wait_until_reachable(self) -> None:
        """Wait until the inference server answers, and update ``capabilities``."""
        while True:
            try:
                answer = await self._stub.GetCapabilities(
                    session_pb2.GetCapabilitiesRequest(), wait_for_ready=True, timeout=30
                )
                self.capabilities = answer.capabilities
                return
            except aio.AioRpcError:
                await asyncio.sleep(0.5)

    async def wait_for_capabilities(self, within_s: float) -> None:
        """Wait up to ``within_s`` seconds for ``capabilities``, if they are still unknown."""
        if self.capabilities is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self.wait_until_reachable()

    async def ask_capabilities(self, within_s: float) -> session_pb2.Capabilities | None:
        """Return the capabilities as they are now, and update ``capabilities``.

        None where the server does not answer within ``within_s`` seconds.
        """
        try:
            answer = await self._stub.GetCapabilities(session_pb2.GetCapabilitiesRequest(), timeout=within_s)
        except aio.AioRpcError:
            return None
        self.capabilities = answer.capabilities
        return answer.capabilities

    async def knows_language(self, language: str, within_s: float) -> bool:
        """Return whether the recogniser knows a language, BCP 47, or one close to it.

        True as well where the server does not answer within ``within_s`` seconds: its sessions will tell. Updates
        ``capabilities``.
        """
        try:
            answer = await self._stub.GetCapabilities(
                session_pb2.GetCapabilitiesRequest(language=language), timeout=within_s
            )
        except aio.AioRpcError:
            return True
        self.capabilities = answer.capabilities
        return not answer.language_unknown

    async def run(
        self, config: session_pb2.SessionConfig, pcm: AsyncIterator[bytes] | AsyncIterator[bytes | Flush]
    ) -> AsyncGenerator[session_pb2.RunSessionResponse, None]:
        """Stream audio through a session and yield its responses to the end. Close this before ``pcm``.

        Args:
            pcm: s16le mono at 16 kHz, in chunks of whole samples; ``FLUSH`` between them.

        Raises SessionBroke (EngineBusy), SessionRefused, or whatever ``pcm`` raises.
        """
        call = self._stub.RunSession(metadata=trace_metadata())
        opened = asyncio.Event()
        # A task of our own instead of grpc's: it has released ``pcm`` before this generator ends.
        sending = asyncio.create_task(_send(call, config, opened, pcm), name="audio to the engine")
        finished = False
        try:
            async for response in call:
                opened.set()
                finished = response.WhichOneof("event") == "finished"
                yield response
        except aio.AioRpcError as error:
            if error.code() == StatusCode.INVALID_ARGUMENT:
                raise SessionRefused(error.details()) from error
            # A call refused during a write may end as INTERNAL instead of with its own status.
            if error.code() == StatusCode.RESOURCE_EXHAUSTED or not opened.is_set():
                raise EngineBusy(error.code().name) from error
            raise SessionBroke(error.code().name) from error
        except asyncio.CancelledError:
            if sending.done() and not sending.cancelled() and (failure := sending.exception()) is not None:
                raise failure from None
            raise
        finally:
            call.cancel()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if not finished:
            raise SessionBroke("the session ended before it finished")

    async def analyse_sentences(self, sentences: Sequence[str]) -> Sequence[language_pb2.SentenceAnalysis]:
        """Return the embedding, polarity and emotions of each sentence. Raises SessionBroke."""
        try:
            answer = await self._language.AnalyseSentences(
                language_pb2.AnalyseSentencesRequest(sentences=sentences),
                timeout=SENTENCES_TIMEOUT_S,
                metadata=trace_metadata(),
            )
        except aio.AioRpcError as error:
            raise SessionBroke(error.code().name) from error
        return answer.analyses

    async def sentence_vector(self, text: str, within_s: float) -> SentenceVector:
        """Return the vector of a text, to be compared with those of sentences. Raises SessionBroke."""
        try:
            answer = await self._language.AnalyseSentences(
                language_pb2.AnalyseSentencesRequest(sentences=[text]), timeout=within_s, metadata=trace_metadata()
            )
        except aio.AioRpcError as error:
            raise SessionBroke(error.code().name) from error
        model = task_model_label(answer.models, model_pb2.TASK_SENTENCE_EMBEDDING)
        return SentenceVector(model, tuple(answer.analyses[0].embedding))

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()


async def read_pcm(path: Path) -> AsyncIterator[bytes]:
    """Yield the audio of a decoded recording in chunks of one second, s16le mono at 16 kHz."""
    with path.open("rb") as file:
        while data := await asyncio.to_thread(file.read, CHUNK_SAMPLES * BYTES_PER_SAMPLE):
            yield data


async def _send(
    call: Any,
    config: session_pb2.SessionConfig,
    opened: asyncio.Event,
    pcm: AsyncIterator[bytes] | AsyncIterator[bytes | Flush],
) -> None:
    """Send a session's audio to its end, or until the engine ends the call; the reason is in the call's status.

    Nothing is sent before the session is ``opened``, so that a refused call receives its reason.
    """
    try:
        await call.write(session_pb2.RunSessionRequest(config=config))
        await opened.wait()
        first_sample = 0
        async for data in pcm:
            if isinstance(data, Flush):
                await call.write(session_pb2.RunSessionRequest(flush=session_pb2.Flush()))
            elif data:
                chunk = session_pb2.AudioChunk(first_sample=first_sample, pcm_s16le=data)
                await call.write(session_pb2.RunSessionRequest(audio=chunk))
                first_sample += len(data) // BYTES_PER_SAMPLE
        await call.write(session_pb2.RunSessionRequest(finish=session_pb2.Finish()))
        await call.done_writing()
    except (aio.AioRpcError, asyncio.InvalidStateError):
        return
    except Exception:
        call.cancel()
        raise


def to_capabilities(reported: session_pb2.Capabilities) -> EngineCapabilities:
    """Convert what an engine reports of itself."""
    return EngineCapabilities(
        tuple(map(model_label, reported.models)),
        reported.overlap,
        tuple(reported.languages),
        reported.word_times,
        reported.max_speakers,
        reported.key_terms,
    )


def to_event(response: session_pb2.RunSessionResponse) -> Event | None:
    """Convert a response to a domain event; None for one that does not affect the conversation."""
    kind = response.WhichOneof("event")
    if kind == "ready":
        return ReadyEvent(to_capabilities(response.ready.capabilities))
    if kind == "turn":
        turn = response.turn
        segment = Segment(
            turn.segment_id,
            turn.speaker,
            turn.start_us,
            turn.end_us,
            tuple(Word(w.text, w.start_us, w.end_us, _optional(w, "confidence")) for w in turn.words),
            _optional(turn, "speaker_confidence"),
            _to_acoustics(turn.acoustics) if turn.HasField("acoustics") else None,
            primary_tag(turn.language),
        )
        return TurnEvent(turn.revision, TurnState(turn.state), segment)
    if kind == "finished":
        finished = response.finished
        acoustics = finished.acoustics
        return FinishedEvent(
            finished.total_samples * 1_000_000 // 16_000,
            _optional(acoustics, "noise_dbfs"),
            tuple(Interval(span.start_us, span.end_us) for span in acoustics.music),
            primary_tag(finished.language),
            _optional(finished, "language_confidence"),
        )
    return None


def _to_acoustics(message: session_pb2.Acoustics) -> Acoustics:
    return Acoustics(
        level_dbfs=round(message.level_dbfs, 3),
        noise_dbfs=_optional(message, "noise_dbfs"),
        voiced_seconds=round(message.voiced_us / 1e6, 3),
        pitch_semitones=_optional(message, "pitch_semitones"),
        pitch_spread_semitones=_optional(message, "pitch_spread_semitones"),
        clipping_percent=round(message.clipping_percent, 4),
        mos_overall=_optional(message, "mos_overall"),
        mos_signal=_optional(message, "mos_signal"),
        mos_background=_optional(message, "mos_background"),
        decays_db_per_s=tuple(round(rate, 1) for rate in message.decays_db_per_s),
        gaps=message.gaps,
        gap_seconds=round(message.gap_us / 1e6, 4),
    )


def _optional(message: Any, field: str) -> float | None:
    return round(float(getattr(message, field)), 6) if message.HasField(field) else None
