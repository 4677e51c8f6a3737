"""An inference server without models: what it says is a function of how much audio it has heard.

``python -m tests.server.live.replica_child NAME``: prints its port, and serves until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from grpc import aio
from meetra.inference.v2 import model_pb2, session_pb2_grpc
from meetra.inference.v2 import session_pb2 as pb

from tests.server.live.scripted_engine import RATE_HZ, progress, turn


def said_in(second: int) -> pb.Turn:
    """The turn of a second of audio."""
    said = turn(second + 1, second, second + 0.8, f"Sekunde {second}")
    # No text model reads it.
    said.language = "de"
    return said


class CountingEngine(session_pb2_grpc.SessionServiceServicer):
    """Says a turn for each second of audio; its words are final two seconds later."""

    def __init__(self, name: str) -> None:
        model = model_pb2.Model(task=model_pb2.TASK_SPEECH_RECOGNITION, name=name)
        self._capabilities = pb.Capabilities(models=[model])
        self._sessions = 0

    async def GetCapabilities(self, request: Any, context: Any) -> pb.GetCapabilitiesResponse:  # noqa: N802
        return pb.GetCapabilitiesResponse(capabilities=self._capabilities)

    async def GetStatistics(self, request: Any, context: Any) -> pb.GetStatisticsResponse:  # noqa: N802
        return pb.GetStatisticsResponse(sessions=self._sessions, max_sessions=32)

    async def RunSession(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.RunSessionRequest], context: Any
    ) -> AsyncIterator[pb.RunSessionResponse]:
        self._sessions += 1
        try:
            requests, samples, told = aiter(request_iterator), 0, 0
            await anext(requests)
            yield pb.RunSessionResponse(ready=pb.Ready(capabilities=self._capabilities))
            async for request in requests:
                samples += len(request.audio.pcm_s16le) // 2
                while told < samples // RATE_HZ:
                    yield pb.RunSessionResponse(turn=said_in(told))
                    told += 1
                    yield pb.RunSessionResponse(progress=progress(told, told, max(0, told - 2)))
                if request.HasField("finish"):
                    for second in range(told):
                        last = said_in(second)
                        last.state, last.revision = pb.TURN_STATE_FINAL, 2
                        yield pb.RunSessionResponse(turn=last)
                    yield pb.RunSessionResponse(finished=pb.Finished(total_samples=samples, language="de"))
                    return
        finally:
            self._sessions -= 1


async def main(name: str) -> None:
    """Serve."""
    server = aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(CountingEngine(name), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
