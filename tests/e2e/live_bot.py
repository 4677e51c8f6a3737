"""A bot that speaks the live protocol by hand, so that tests see every message as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from grpc import aio
from meetra.v1 import live_pb2 as pb
from meetra.v1 import live_pb2_grpc

from tests.e2e.conftest import Rest
from tests.recordings import RATE_HZ, sample_pcm

CHUNK_BYTES = 6400
PATIENCE_S = 500


def mixed(track_id: str = "mix", **fields: Any) -> pb.TrackConfig:
    """A MIXED track of s16le at 16 kHz."""
    told = {"encoding": pb.AUDIO_ENCODING_PCM_S16LE, "sample_rate_hz": RATE_HZ, **fields}
    return pb.TrackConfig(track_id=track_id, kind=pb.TRACK_KIND_MIXED, **told)


def participant(track_id: str, name: str, **fields: Any) -> pb.TrackConfig:
    """The same of one known person."""
    told = {"encoding": pb.AUDIO_ENCODING_PCM_S16LE, "sample_rate_hz": RATE_HZ, **fields}
    return pb.TrackConfig(track_id=track_id, kind=pb.TRACK_KIND_PARTICIPANT, participant_name=name, **told)


def speech(seconds: float, start_s: float = 0) -> bytes:
    """A stretch of the sample meeting, s16le."""
    pcm = sample_pcm()[int(start_s * RATE_HZ) : int((start_s + seconds) * RATE_HZ)]
    return pcm.astype("<i2").tobytes()


PLAIN = pb.LiveConfig(name="Live", tracks=[mixed()])


class Bot:
    """One connection to a live meeting."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.received: list[pb.StreamMeetingResponse] = []
        self.ready = pb.LiveReady()

    @property
    def events(self) -> list[pb.LiveEvent]:
        """The events so far."""
        return [r.event for r in self.received if r.HasField("event")]

    def of(self, kind: str) -> list[Any]:
        """What the events of one kind say."""
        return [getattr(event, kind) for event in self.events if event.WhichOneof("event") == kind]

    def committed(self, track_id: str = "mix") -> int:
        """The last acknowledged position of a track."""
        positions = list(self.ready.tracks) + [p for r in self.received for p in r.ack.tracks]
        return max((p.next_sample for p in positions if p.track_id == track_id), default=0)

    async def open(self, config: pb.LiveConfig) -> pb.LiveReady:
        """Sends the config and waits for the answer."""
        await self.send(pb.StreamMeetingRequest(config=config))
        await self.until(lambda: self.received[-1].HasField("ready"))
        self.ready = self.received[0].ready
        return self.ready

    async def send(self, message: pb.StreamMeetingRequest) -> None:
        """One message."""
        await self._call.write(message)

    async def audio(self, data: bytes, first_sample: int = 0, track_id: str = "mix") -> int:
        """Chunks of 16-bit audio from a position; the position after them."""
        for start in range(0, len(data), CHUNK_BYTES):
            chunk = data[start : start + CHUNK_BYTES]
            await self.send(
                pb.StreamMeetingRequest(audio=pb.AudioChunk(track_id=track_id, first_sample=first_sample, data=chunk))
            )
            first_sample += len(chunk) // 2
        return first_sample

    async def control(self, what: pb.Control.ValueType) -> None:
        """FLUSH or FINISH."""
        await self.send(pb.StreamMeetingRequest(control=what))

    async def until(self, fulfilled: Callable[[], bool]) -> None:
        """Reads until something holds of what was received. Raises AioRpcError when the call ends with an error."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self.received or not fulfilled():
                    response = await self._call.read()
                    assert response is not aio.EOF, f"the call ended: {await self._call.code()}"
                    self.received.append(response)
        except TimeoutError as error:
            last = "\n".join(map(str, self.received[-5:]))
            raise TimeoutError(f"{len(self.received)} responses, the last ones:\n{last}") from error

    async def rest(self) -> None:
        """Reads to the end of the call. Raises AioRpcError when it ends with an error."""
        async with asyncio.timeout(PATIENCE_S):
            while (response := await self._call.read()) is not aio.EOF:
                self.received.append(response)

    async def finish(self) -> pb.LiveFinished:
        """Finishes the meeting and reads to the end."""
        await self.control(pb.CONTROL_FINISH)
        await self.rest()
        (finished,) = self.of("finished")
        return pb.LiveFinished.FromString(finished.SerializeToString())

    def cut(self) -> None:
        """The connection is gone, as networks do it."""
        self._call.cancel()


@asynccontextmanager
async def connected(rest: Rest) -> AsyncIterator[Bot]:
    """A connection through the gateway; cut at the end."""
    metadata = (("authorization", f"Bearer {rest.token}"),)
    async with aio.insecure_channel(urlsplit(rest.gateway).netloc) as channel:
        call = live_pb2_grpc.LiveServiceStub(channel).StreamMeeting(metadata=metadata)
        bot = Bot(call)
        try:
            yield bot
        finally:
            bot.cut()


async def failure(bot: Bot) -> aio.AioRpcError:
    """How the call ends."""
    with pytest.raises(aio.AioRpcError) as raised:
        await bot.rest()
    return raised.value
