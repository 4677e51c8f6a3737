"""An engine over real gRPC that says what a test has it say, when the test has it say it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpc import StatusCode, aio
from meetra.inference.v2 import model_pb2, session_pb2_grpc
from meetra.inference.v2 import session_pb2 as pb

RATE_HZ = 16_000
SCRIPTED = model_pb2.Model(task=model_pb2.TASK_SPEECH_RECOGNITION, name="scripted")
PARTIAL, STABLE = pb.TURN_STATE_PARTIAL, pb.TURN_STATE_STABLE


def turn(number: int, start_s: float, end_s: float, text: str, *, state: pb.TurnState.ValueType = STABLE) -> pb.Turn:
    """A turn that is spoken evenly."""
    words, step = text.split(), (end_s - start_s) / max(1, len(text.split()))
    return pb.Turn(
        segment_id=number,
        revision=1,
        state=state,
        speaker=1,
        start_us=round(start_s * 1e6),
        end_us=round(end_s * 1e6),
        words=[
            pb.Word(
                text=word,
                start_us=round((start_s + place * step) * 1e6),
                end_us=round((start_s + (place + 1) * step) * 1e6),
            )
            for place, word in enumerate(words)
        ],
    )


def progress(
    heard_s: float, words_s: float, final_s: float, language: str = "", confidence: float | None = None
) -> pb.Progress:
    """How far it has come, in seconds of the track."""
    return pb.Progress(
        stage=pb.STAGE_ANALYSING,
        heard_samples=round(heard_s * RATE_HZ),
        processed_samples=round(words_s * RATE_HZ),
        final_words_samples=round(final_s * RATE_HZ),
        language=language,
        language_confidence=confidence,
    )


class Session:
    """One session of the engine."""

    def __init__(self, config: pb.SessionConfig) -> None:
        self.config = config
        self.heard = bytearray()
        """The audio so far."""
        self.flushes: list[int] = []
        """After how many bytes of audio it was flushed."""
        self.over = asyncio.Event()
        """No more audio follows."""
        self.gone = asyncio.Event()
        """It is closed, by whomever."""
        self.saying: asyncio.Queue[pb.RunSessionResponse | None] = asyncio.Queue()

    def say(self, *said: pb.Turn | pb.Progress) -> None:
        """The next events."""
        for one in said:
            kind = "turn" if isinstance(one, pb.Turn) else "progress"
            self.saying.put_nowait(pb.RunSessionResponse(**{kind: one}))  # type: ignore[arg-type]

    async def listen(self, requests: AsyncIterator[pb.RunSessionRequest]) -> None:
        """Hears what comes, until no more does."""
        async for request in requests:
            self.heard += request.audio.pcm_s16le
            if request.HasField("flush"):
                self.flushes.append(len(self.heard))
            if request.HasField("finish"):
                self.over.set()

    async def conclude(self, *turns: pb.Turn, language: str = "", confidence: float | None = None) -> None:
        """Waits until no more audio follows, then says the end."""
        async with asyncio.timeout(300):
            await self.over.wait()
        self.say(*turns)
        finished = pb.Finished(total_samples=len(self.heard) // 2, language=language, language_confidence=confidence)
        self.saying.put_nowait(pb.RunSessionResponse(finished=finished))

    async def conclude_when_told(self) -> None:
        """Says a progress, for which the test's audio is to end, then the end.

        An engine that ends while audio is being sent may seem to have failed (INTERNAL): gRPC fails that write.
        """
        self.say(progress(0, 0, 0))
        await self.conclude()

    def die(self) -> None:
        """The engine is gone."""
        self.saying.put_nowait(None)


class ScriptedEngine(session_pb2_grpc.SessionServiceServicer):
    """Opens every session, and hands it to the test."""

    def __init__(self) -> None:
        self.languages: list[str] = []
        """Those that it knows."""
        self.opened = 0
        """Sessions so far."""
        self.busy = False
        """Whether it has no room for another session."""
        self.statistics = pb.GetStatisticsResponse()
        """What it says of its load."""
        self.deaf = asyncio.Event()
        """Set: it answers no question for its load, nor for what it can."""
        self._opened: asyncio.Queue[Session] = asyncio.Queue()

    async def session(self) -> Session:
        """The next one that is opened."""
        async with asyncio.timeout(300):
            return await self._opened.get()

    async def GetCapabilities(self, request: Any, context: Any) -> pb.GetCapabilitiesResponse:  # noqa: N802
        while self.deaf.is_set():
            await asyncio.sleep(0.01)
        return pb.GetCapabilitiesResponse(
            capabilities=pb.Capabilities(models=[SCRIPTED], languages=self.languages),
            language_unknown=bool(request.language) and request.language not in self.languages,
        )

    async def GetStatistics(self, request: Any, context: Any) -> pb.GetStatisticsResponse:  # noqa: N802
        while self.deaf.is_set():
            await asyncio.sleep(0.01)
        return self.statistics

    async def RunSession(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.RunSessionRequest], context: Any
    ) -> AsyncIterator[pb.RunSessionResponse]:
        if self.busy:
            await context.abort(StatusCode.RESOURCE_EXHAUSTED, "no room for another session")
        requests = aiter(request_iterator)
        session = Session((await anext(requests)).config)
        yield pb.RunSessionResponse(ready=pb.Ready(capabilities=pb.Capabilities(models=[SCRIPTED])))
        self.opened += 1
        self._opened.put_nowait(session)
        listening = asyncio.create_task(session.listen(requests))
        try:
            while (said := await session.saying.get()) is not None:
                yield said
                if said.HasField("finished"):
                    return
        finally:
            session.gone.set()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await context.abort(StatusCode.INTERNAL, "killed on purpose")


@asynccontextmanager
async def scripted_engine(port: int = 0) -> AsyncIterator[tuple[ScriptedEngine, str]]:
    """The engine and its address."""
    engine, server = ScriptedEngine(), aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(engine, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield engine, f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
