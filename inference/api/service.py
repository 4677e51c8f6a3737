"""The gRPC service of sessions: one bidirectional stream is one session."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from itertools import count
from typing import Any

import grpc
import numpy as np
from grpc import aio
from meetra.inference.v2 import session_pb2, session_pb2_grpc
from numpy.typing import NDArray

from inference.api.admission import NoCapacity, SessionAdmission, SessionLimits
from inference.api.messages import event_message, live_load_messages, statistics_message
from inference.api.recogniser_language import recogniser_language
from inference.api.tasks import model_messages
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, WindowRecogniser
from inference.monitoring import SESSIONS_ENDED, kind_of
from inference.session import Session, SessionConfig
from monitoring import continue_trace
from privacy import replace_log_context

MAX_CHUNK_BYTES = 1024 * 1024
MAX_SPEAKERS = 64
MAX_KEY_TERMS, MAX_KEY_TERM_CHARACTERS = 132, 100
MAX_ORGANIZATION_CHARACTERS = 64
LOOK_EVERY_S = 1.0
_NAME_FOR_LOGS = re.compile(r"[0-9A-Za-z._-]{1,64}")
log = logging.getLogger(__name__)


class InvalidRequest(Exception):
    """The client broke the protocol; the message names the field and the fix."""


class SessionServicer(session_pb2_grpc.SessionServiceServicer):
    """See proto/meetra/inference/v2/session.proto."""

    def __init__(self, engine: ModelEngine, limits: SessionLimits) -> None:
        """``limits``: of concurrent sessions; further ones are refused with RESOURCE_EXHAUSTED."""
        self._engine = engine
        self._models = engine.models
        self._limits, self._admission = limits, SessionAdmission(limits)
        self._numbers = count(1)

    async def GetCapabilities(  # noqa: N802
        self, request: session_pb2.GetCapabilitiesRequest, context: aio.ServicerContext[Any, Any]
    ) -> session_pb2.GetCapabilitiesResponse:
        """Return the loaded models and what they can measure, and whether a language is known."""
        return session_pb2.GetCapabilitiesResponse(
            capabilities=self._capabilities(), language_unknown=self._language(request.language) is None
        )

    async def GetStatistics(  # noqa: N802
        self, request: session_pb2.GetStatisticsRequest, context: aio.ServicerContext[Any, Any]
    ) -> session_pb2.GetStatisticsResponse:
        """Return the number of sessions and the counters of each model's queue."""
        models = [statistics_message(queue, seconds) for queue, seconds in self._engine.statistics()]
        return session_pb2.GetStatisticsResponse(
            sessions=self._engine.sessions,
            models=models,
            max_sessions=self._limits.sessions,
            live=live_load_messages(self._admission, self._engine.live_lags()),
            live_full=self._admission.live_full(None),
            memory_short=self._admission.memory_is_short,
        )

    async def watch_load(self) -> None:
        """Look every second how late the work of live sessions begins, until cancelled."""
        while True:
            try:
                self._admission.look(time.monotonic(), self._engine.live_lags())
            except Exception:
                # What was found out last would stand for ever.
                log.exception("how late live sessions are is not known")
            await asyncio.sleep(LOOK_EVERY_S)

    async def RunSession(  # noqa: N802
        self,
        request_iterator: AsyncIterator[session_pb2.RunSessionRequest],
        context: aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[session_pb2.RunSessionResponse]:
        """Run one session over the stream; yield its events, numbered from 1."""
        messages = aiter(request_iterator)
        kind, outcome = "", "cut"
        try:
            first = await anext(messages, None)
            config = self._checked_config(first)
            kind, sequence = kind_of(live=config.live), 0
            self._name_in_logs(first, continue_trace(context.invocation_metadata() or ()))
            with self._admission.admit(config.organization, live=config.live):
                async with aclosing(self._events(config, messages)) as responses:
                    async for response in responses:
                        sequence += 1
                        response.event_seq = sequence
                        yield response
            outcome = "finished"
        except NoCapacity as refusal:
            kind = ""
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(refusal))
        except InvalidRequest as error:
            outcome = "refused"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Exception:
            outcome = "failed"
            log.exception("a session failed")
            await context.abort(grpc.StatusCode.INTERNAL, "a model failed on this audio")
        finally:
            if kind:
                SESSIONS_ENDED.labels(kind, outcome).inc()

    async def _events(
        self, config: SessionConfig, messages: AsyncIterator[session_pb2.RunSessionRequest]
    ) -> AsyncGenerator[session_pb2.RunSessionResponse, None]:
        session = Session(self._engine, config)
        try:
            ready = session_pb2.Ready(capabilities=self._capabilities(), language_unknown=not config.transcribe)
            yield session_pb2.RunSessionResponse(ready=ready)
            expected = 0
            async for message in _with_wake_ups(messages, session.changed):
                kind = message.WhichOneof("payload") if message else None
                if message is None:
                    events = await session.poll()
                elif kind == "audio":
                    samples = checked_samples(message.audio, expected)
                    expected += len(samples)
                    events = await session.push(samples)
                elif kind == "flush":
                    events = await session.flush()
                elif kind == "finish":
                    for event in await session.finish():
                        yield event_message(event)
                    return
                else:
                    raise InvalidRequest("payload: only audio, flush and finish may follow the config")
                for event in events:
                    yield event_message(event)
            raise InvalidRequest("finish: the stream ended without it; send finish after the last audio")
        finally:
            await session.close()

    def _name_in_logs(self, first: session_pb2.RunSessionRequest | None, trace: str) -> None:
        """Have the log say of which meeting and session it speaks; the session's number is that of this process."""
        named = first.config if first else session_pb2.SessionConfig()
        organization, meeting = _name_for_logs(named.organization), _name_for_logs(named.session_label)
        replace_log_context(organization=organization, meeting=meeting, session=next(self._numbers), trace=trace)

    def _checked_config(self, first: session_pb2.RunSessionRequest | None) -> SessionConfig:
        if first is None or first.WhichOneof("payload") != "config":
            raise InvalidRequest("config: the first message must carry it")
        config = first.config
        if config.sample_rate_hz != SAMPLE_RATE_HZ:
            raise InvalidRequest(
                f"config.sample_rate_hz: {config.sample_rate_hz} is not supported; resample to {SAMPLE_RATE_HZ}"
            )
        expected = config.expected_speakers if config.HasField("expected_speakers") else None
        if expected is not None and not 1 <= expected <= MAX_SPEAKERS:
            raise InvalidRequest(
                f"config.expected_speakers: {expected} is out of range; give 1 to {MAX_SPEAKERS}, or omit it"
            )
        if len(config.organization) > MAX_ORGANIZATION_CHARACTERS:
            raise InvalidRequest(f"config.organization: at most {MAX_ORGANIZATION_CHARACTERS} characters")
        language = self._language(config.language)
        return SessionConfig(
            expected_speakers=expected,
            # In another language every word would be wrong; no words are better.
            transcribe=language is not None,
            language=language or "",
            key_terms=_checked_terms(config.key_terms),
            live=config.live,
            organization=config.organization,
            bulk=config.bulk and not config.live,
        )

    def _language(self, given: str) -> str | None:
        """Return the recogniser's language for a given one; empty for none, None where it knows none close to it."""
        return recogniser_language(given, self._models.recogniser.languages) if given else ""

    def _capabilities(self) -> session_pb2.Capabilities:
        recogniser = self._models.recogniser
        return session_pb2.Capabilities(
            models=model_messages(self._models),
            overlap=self._models.overlap,
            languages=recogniser.languages,
            word_times=recogniser.word_times,
            key_terms=isinstance(recogniser, WindowRecogniser) and recogniser.uses_key_terms,
            max_speakers=self._max_speakers(),
            same_voice_similarity=self._models.encoder.profile.same_voice_similarity,
        )

    def _max_speakers(self) -> int:
        diarizer = self._models.diarizer
        return diarizer.max_speakers if diarizer else self._models.encoder.profile.max_speakers


def _name_for_logs(name: str) -> str:
    """Return a name that may stand in a log, such as an id; empty for any other: no client writes what it wants."""
    return name if _NAME_FOR_LOGS.fullmatch(name) else ""


async def _with_wake_ups(
    messages: AsyncIterator[session_pb2.RunSessionRequest], wake: asyncio.Event
) -> AsyncIterator[session_pb2.RunSessionRequest | None]:
    """Yield the client's messages, and None between them whenever ``wake`` is set."""
    next_message: asyncio.Task[session_pb2.RunSessionRequest | None] | None = None
    wake_up = asyncio.create_task(wake.wait())
    try:
        while True:
            next_message = next_message or asyncio.create_task(_next(messages))
            await asyncio.wait({next_message, wake_up}, return_when=asyncio.FIRST_COMPLETED)
            if wake_up.done():
                yield None
                wake_up = asyncio.create_task(wake.wait())
            if next_message.done():
                message, next_message = next_message.result(), None
                if message is None:
                    return
                yield message
    finally:
        for task in filter(None, (next_message, wake_up)):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _next(messages: AsyncIterator[session_pb2.RunSessionRequest]) -> session_pb2.RunSessionRequest | None:
    return await anext(messages, None)


def _checked_terms(terms: Sequence[str]) -> tuple[str, ...]:
    """Strip and return the terms. Raises InvalidRequest."""
    if len(terms) > MAX_KEY_TERMS or any(len(term) > MAX_KEY_TERM_CHARACTERS for term in terms):
        raise InvalidRequest(
            f"config.key_terms: at most {MAX_KEY_TERMS} terms, each of at most {MAX_KEY_TERM_CHARACTERS} characters"
        )
    return tuple(filter(None, (term.strip() for term in terms)))


def checked_samples(audio: session_pb2.AudioChunk, expected: int) -> NDArray[np.int16]:
    """Return a chunk's samples, s16 of shape (n,). Raises InvalidRequest."""
    if audio.first_sample != expected:
        raise InvalidRequest(f"audio.first_sample: {audio.first_sample}; the next sample is {expected}")
    if len(audio.pcm_s16le) > MAX_CHUNK_BYTES or len(audio.pcm_s16le) % 2:
        raise InvalidRequest(
            f"audio.pcm_s16le: {len(audio.pcm_s16le)} bytes; whole 16-bit samples, at most {MAX_CHUNK_BYTES}"
        )
    return np.frombuffer(audio.pcm_s16le, "<i2")
