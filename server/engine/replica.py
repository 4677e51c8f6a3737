"""One inference server: its sessions, its load, and whether it answers and makes progress."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from enum import StrEnum
from typing import Any

from grpc import StatusCode, aio
from meetra.inference.v2 import language_pb2, language_pb2_grpc, session_pb2, session_pb2_grpc

from monitoring import trace_metadata
from privacy import MutualTls
from server.engine.transport import open_channel
from server.inference_addresses import Target

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
# Looks at a replica, each a share of the time without progress after which it is given up, that find no answer before
# it is. Several: one may fail because this process stood still itself.
LOOKS_WITHOUT_ANSWER = 3
# Looks in a row that find a call of a model that has run for longer than that time, before it is given up: the machine
# may have stood still as a whole, and the call with it.
LOOKS_AT_A_LONG_CALL = 3
# For how long what a replica told of its load counts where it tells nothing new, seconds.
TOLD_FOR_S = 30.0
log = logging.getLogger(__name__)


class Overload(StrEnum):
    """Why no further live meeting should be opened."""

    LAG = "lag"
    """What is said in those that are there is told late."""
    MEMORY = "memory"
    """A machine has too little free memory."""


class SessionBroke(Exception):
    """The session ended before it finished; another one may succeed."""


class EngineBusy(SessionBroke):
    """No session was opened: the engine is at its limit or shutting down. Unrelated to the audio."""


class SessionRefused(Exception):
    """The engine rejects the recording or its settings; another session would be rejected too."""


class Flush:
    """Among the audio of a session: tell what is known of it so far."""


FLUSH = Flush()


class Replica:
    """One inference server. Of several, one that is ``away`` is left out until it answers again."""

    def __init__(self, target: Target, tls: MutualTls | None, stall_s: float) -> None:
        """
        Args:
            tls: None for plain text.
            stall_s: time without progress after which ``look`` gives it up, seconds.
        """
        self.target = target
        self._unreached = self._stalled = False
        self.calls = 0
        """Sessions and other calls of this process that are open."""
        self.silent = False
        """Whether it left the last question for its load unanswered."""
        self.sessions = 0
        """Sessions of this process that are open, or are just opened."""
        self._stall_s = stall_s
        self._channel = open_channel(target, tls, CHANNEL_OPTIONS)
        self._stub = session_pb2_grpc.SessionServiceStub(self._channel)
        self._language = language_pb2_grpc.LanguageServiceStub(self._channel)
        self._open: set[Any] = set()
        self._given_up: set[Any] = set()
        self._unanswered = self._long_call = 0
        self._reported, self._asked_with, self._limit = 0, 0, 1
        self._told: session_pb2.GetStatisticsResponse | None = None
        self._told_at = float("-inf")
        self.asked_at = float("-inf")
        """When it was asked for its load last, by the monotonic clock."""

    @property
    def away(self) -> bool:
        """Whether it was not reached, or makes no progress."""
        return self._unreached or self._stalled

    @property
    def load(self) -> float:
        """Open sessions as a share of its limit: those it reported last, with what this process opened since."""
        # Some that this process had opened by then may not have reached it.
        return (max(self._reported, self._asked_with) + self.sessions - self._asked_with) / self._limit

    async def wait_until_reachable(self) -> session_pb2.Capabilities:
        """Wait until it answers, and return its capabilities."""
        while True:
            try:
                request = session_pb2.GetCapabilitiesRequest()
                answer = await self._stub.GetCapabilities(request, wait_for_ready=True, timeout=30)
                self._note_answer()
                return answer.capabilities
            except aio.AioRpcError:
                await asyncio.sleep(0.5)

    async def ask_capabilities(self, within_s: float, language: str = "") -> session_pb2.GetCapabilitiesResponse | None:
        """Return what it can, and whether it knows a language; None where it does not answer in time, seconds."""
        try:
            request = session_pb2.GetCapabilitiesRequest(language=language)
            answer: session_pb2.GetCapabilitiesResponse = await self._stub.GetCapabilities(request, timeout=within_s)
        except aio.AioRpcError as error:
            self._note(error)
            return None
        self._note_answer()
        return answer

    async def ask_load(self, within_s: float) -> session_pb2.GetStatisticsResponse | None:
        """Update ``load``; None where it does not answer within so many seconds."""
        own, self.asked_at = self.sessions, time.monotonic()
        try:
            answer: session_pb2.GetStatisticsResponse = await self._stub.GetStatistics(
                session_pb2.GetStatisticsRequest(), timeout=within_s
            )
        except aio.AioRpcError as error:
            self._note(error)
            self.silent = True
            return None
        self._note_answer()
        self.silent = False
        self._reported, self._asked_with = answer.sessions, own
        # An older one does not say its limit: its sessions are compared as they are.
        self._limit = max(1, answer.max_sessions)
        self._told, self._told_at = answer, time.monotonic()
        return answer

    def overload(self, organization: str) -> Overload | None:
        """Return what it told lately against a further live meeting of an organization; None: nothing."""
        if self._told is None or time.monotonic() - self._told_at > TOLD_FOR_S:
            return None
        if self._told.memory_short:
            return Overload.MEMORY
        full = next((own.full for own in self._told.live if own.organization == organization), self._told.live_full)
        return Overload.LAG if full else None

    async def look(self) -> None:
        """Find out whether it makes progress: its sessions are given up if it does not.

        It makes none where it leaves several looks unanswered, or where several find a call of a model that runs for
        longer than ``stall_s``. Otherwise it is not ``away`` any more, if it answers.
        """
        answer = await self.ask_load(self._stall_s / LOOKS_WITHOUT_ANSWER)
        if self._unreached:
            # Its sessions break by themselves.
            self._unanswered = self._long_call = 0
        elif answer is None:
            self._unanswered += 1
            if self._unanswered >= LOOKS_WITHOUT_ANSWER:
                self._give_up("does not answer")
        elif any(model.running_us > self._stall_s * 1e6 for model in answer.models):
            self._unanswered, self._long_call = 0, self._long_call + 1
            if self._long_call >= LOOKS_AT_A_LONG_CALL:
                self._give_up("makes no progress")
        else:
            if self._stalled:
                log.info("the inference server at %s goes on", self.target.target)
            self._unanswered, self._long_call, self._stalled = 0, 0, False

    async def run(
        self, config: session_pb2.SessionConfig, pcm: AsyncIterator[bytes] | AsyncIterator[bytes | Flush]
    ) -> AsyncGenerator[session_pb2.RunSessionResponse, None]:
        """Stream audio through a session and yield its responses to the end; see ``InferenceClient.run``."""
        self.sessions += 1
        self.calls += 1
        call = self._stub.RunSession(metadata=trace_metadata())
        self._open.add(call)
        opened = asyncio.Event()
        # A task of our own instead of grpc's: it has released ``pcm`` before this generator ends.
        sending = asyncio.create_task(_send(call, config, opened, pcm), name="audio to the engine")
        finished = False
        try:
            async for response in call:
                if not opened.is_set():
                    self._note_answer()
                opened.set()
                finished = response.WhichOneof("event") == "finished"
                yield response
        except aio.AioRpcError as error:
            if error.code() == StatusCode.INVALID_ARGUMENT:
                raise SessionRefused(error.details()) from error
            self._note(error)
            # A call refused during a write may end as INTERNAL instead of with its own status.
            if error.code() == StatusCode.RESOURCE_EXHAUSTED or not opened.is_set():
                raise EngineBusy(error.code().name) from error
            raise SessionBroke(error.code().name) from error
        except asyncio.CancelledError:
            if call in self._given_up and not _is_being_cancelled():
                failure = SessionBroke if opened.is_set() else EngineBusy
                raise failure("the inference server makes no progress") from None
            if sending.done() and not sending.cancelled() and (failed := sending.exception()) is not None:
                raise failed from None
            raise
        finally:
            self.sessions -= 1
            self.calls -= 1
            self._open.discard(call)
            self._given_up.discard(call)
            call.cancel()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if not finished:
            raise SessionBroke("the session ended before it finished")

    async def analyse_sentences(
        self, sentences: Sequence[str], within_s: float = SENTENCES_TIMEOUT_S
    ) -> language_pb2.AnalyseSentencesResponse:
        """Return what each sentence means, and the models that say so. Raises SessionBroke."""
        self.calls += 1
        try:
            answer: language_pb2.AnalyseSentencesResponse = await self._language.AnalyseSentences(
                language_pb2.AnalyseSentencesRequest(sentences=sentences),
                timeout=within_s,
                metadata=trace_metadata(),
            )
        except aio.AioRpcError as error:
            self._note(error)
            raise SessionBroke(error.code().name) from error
        finally:
            self.calls -= 1
        return answer

    async def close(self, grace_s: float | None = None) -> None:
        """Close the connection; calls that are open get so many seconds to end."""
        await self._channel.close(grace_s)

    def _note_answer(self) -> None:
        if self._unreached:
            log.info("the inference server at %s answers again", self.target.target)
        self._unreached = False

    def _note(self, error: aio.AioRpcError) -> None:
        if error.code() == StatusCode.UNAVAILABLE:
            if not self._unreached:
                log.warning("the inference server at %s is not reached", self.target.target)
            self._unreached = True

    def _give_up(self, why: str) -> None:
        if not self._stalled:
            log.error("the inference server at %s %s: its sessions go elsewhere", self.target.target, why)
        self._stalled = True
        for call in list(self._open):
            self._given_up.add(call)
            call.cancel()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


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
