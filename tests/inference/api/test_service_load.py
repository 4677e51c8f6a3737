"""What a replica tells of its load while the real engine is late, and that it refuses no session for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from grpc import aio
from meetra.inference.v2 import session_pb2 as pb
from meetra.inference.v2 import session_pb2_grpc

from inference.api import SessionLimits, SessionServicer
from inference.api import service as service_module
from inference.api.admission import ALWAYS_IN_ORDER
from inference.engine import ModelEngine
from inference.models import ProvisionalWords
from tests.inference.words.scripted_windows import ScriptedWindows
from tests.recordings import RATE_HZ, sample_pcm

PATIENCE_S = 300
ORGANIZATION = "one"


class HeldWords(ScriptedWindows):
    """First words come when a test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def recognise_provisional(self, work: Any) -> list[ProvisionalWords]:
        """See WindowRecogniser."""
        assert self.free.wait(PATIENCE_S)
        return super().recognise_provisional(work)


@asynccontextmanager
async def replica(engine: ModelEngine, max_live_lag_s: float) -> AsyncIterator[session_pb2_grpc.SessionServiceStub]:
    """A replica of an engine, and a client of it."""
    server = aio.server()
    servicer = SessionServicer(engine, SessionLimits(32, 0.25, 1, max_live_lag_s))
    session_pb2_grpc.add_SessionServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    watching = asyncio.create_task(servicer.watch_load())
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield session_pb2_grpc.SessionServiceStub(channel)
    watching.cancel()
    await server.stop(None)


async def run(stub: Any, pcm: bytes, end: asyncio.Event, *, live: bool = True) -> int:
    """A session of an organization that goes on until its end; the number of its segments."""
    call = stub.RunSession()
    config = pb.SessionConfig(sample_rate_hz=16_000, language="en", live=live, organization=ORGANIZATION)
    await call.write(pb.RunSessionRequest(config=config))
    await call.write(pb.RunSessionRequest(audio=pb.AudioChunk(pcm_s16le=pcm)))
    await end.wait()
    await call.write(pb.RunSessionRequest(finish=pb.Finish()))
    await call.done_writing()
    return len({said.turn.segment_id async for said in call if said.HasField("turn") and said.turn.state == 3})


async def told(stub: Any, *, full: bool) -> pb.LiveLoad:
    """What is told of the organization once it is full, or no more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer: pb.GetStatisticsResponse = await stub.GetStatistics(pb.GetStatisticsRequest())
            load = next((one for one in answer.live if one.organization == ORGANIZATION), pb.LiveLoad())
            if load.full is full:
                return load
            await asyncio.sleep(0.02)


async def test_late_sessions_make_it_full_and_end_whole_and_uploads_go_on(
    engine: ModelEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "LOOK_EVERY_S", 0.02)
    words, pcm = HeldWords(), sample_pcm()[: 6 * RATE_HZ].tobytes()
    own, now, end = ModelEngine(replace(engine.models, recogniser=words)), asyncio.Event(), asyncio.Event()
    now.set()
    async with replica(own, max_live_lag_s=0.2) as stub:
        words.free.set()
        undisturbed = await run(stub, pcm, now)
        words.free.clear()
        sessions = [asyncio.create_task(run(stub, pcm, end)) for _ in range(ALWAYS_IN_ORDER)]
        late = await told(stub, full=True)
        assert late.sessions >= ALWAYS_IN_ORDER
        assert late.lag_us > 200_000
        # Of a meeting that was accepted: a track that is added, say.
        sessions.append(asyncio.create_task(run(stub, pcm, end)))
        # An upload waits for nobody's first words.
        async with asyncio.timeout(PATIENCE_S):
            assert await run(stub, pcm, now, live=False) == undisturbed
        words.free.set()
        end.set()
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.gather(*sessions) == [undisturbed] * len(sessions)
        await told(stub, full=False)
    await own.close()
