"""The buffer of unacknowledged audio: numbered, and resent as needed."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable

from meetra.v1 import live_pb2

from meetra_client.errors import AudioLost, TakenOver
from meetra_client.tracks import Track, opus_packet_samples


class TrackBuffer(ABC):
    """One track's buffered audio, from ``acknowledged`` to ``end``; audio before ``sent`` is in flight."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.acknowledged = self.sent = self.end = 0
        self.buffered_bytes = 0
        self._captured: list[tuple[int, int]] = []  # positions with when they were captured, ms, ascending

    def begin(self, position: int) -> None:
        """Set the position of the first audio."""
        self.acknowledged = self.sent = self.end = position

    def mark(self, captured_ms: int) -> None:
        """Note when the sample at ``end``, which is appended next, was captured."""
        self._captured.append((self.end, captured_ms))

    def captured_ms(self, position: int) -> int | None:
        """Return when the sample at a position was captured, milliseconds, if that was noted for it."""
        noted = self._captured[bisect_left(self._captured, (position, 0)) :][:1]
        return next((captured_ms for place, captured_ms in noted if place == position), None)

    @abstractmethod
    def append(self, data: bytes) -> None:
        """Append whole samples, or one packet."""

    @abstractmethod
    def next_chunk(self, max_bytes: int) -> tuple[int, bytes] | None:
        """Return the position and bytes of the next audio to send, at most ``max_bytes``; None if all is in flight."""

    def acknowledge(self, position: int) -> None:
        """Drop audio before ``position``. Raises TakenOver if this client never queued it."""
        if position > self.end:
            raise TakenOver(
                f"the server has audio of track {self.track.track_id!r} up to {position}, but this client queued only "
                f"{self.end}: another client is sending it"
            )
        if position > self.acknowledged:
            self._forget(position)
            self.acknowledged = position
            del self._captured[: bisect_left(self._captured, (position, 0))]
            self.sent = max(self.sent, position)

    def rewind(self, position: int) -> None:
        """Resend from ``position``, the server's. Raises TakenOver, AudioLost."""
        if position < self.acknowledged:
            raise AudioLost(
                f"the server requests track {self.track.track_id!r} from {position}, but had acknowledged it up to "
                f"{self.acknowledged}"
            )
        self.acknowledge(position)
        self.sent = position

    @abstractmethod
    def _forget(self, position: int) -> None:
        """Drop audio before ``position``."""


class SampleBuffer(TrackBuffer):
    """The log of a track with fixed-size positions."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self._data = bytearray()

    def append(self, data: bytes) -> None:
        """See TrackBuffer.append."""
        self._data += data
        self.end += len(data) // self.track.unit_bytes
        self.buffered_bytes = len(self._data)

    def next_chunk(self, max_bytes: int) -> tuple[int, bytes] | None:
        """See TrackBuffer.next_chunk."""
        if self.sent == self.end:
            return None
        unit_bytes, first = self.track.unit_bytes, self.sent
        begin = (first - self.acknowledged) * unit_bytes
        samples = max(max_bytes // unit_bytes, 1)
        # A noted sample begins a chunk of its own.
        later = self._captured[bisect_left(self._captured, (first + 1, 0)) :][:1]
        samples = min([samples, *(position - first for position, _ in later)])
        data = bytes(memoryview(self._data)[begin : begin + samples * unit_bytes])
        self.sent += len(data) // unit_bytes
        return first, data

    def _forget(self, position: int) -> None:
        del self._data[: (position - self.acknowledged) * self.track.unit_bytes]
        self.buffered_bytes = len(self._data)


class PacketBuffer(TrackBuffer):
    """The log of a track of Opus packets, which are never split."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self._in_flight: deque[tuple[int, bytes]] = deque()
        self._waiting: deque[tuple[int, bytes]] = deque()

    def append(self, data: bytes) -> None:
        """See TrackBuffer.append."""
        samples = opus_packet_samples(data)
        self._waiting.append((self.end, data))
        self.end += samples
        self.buffered_bytes += len(data)

    def next_chunk(self, max_bytes: int) -> tuple[int, bytes] | None:
        """See TrackBuffer.next_chunk; returns a whole packet of any size."""
        if not self._waiting:
            return None
        first, data = self._waiting.popleft()
        self._in_flight.append((first, data))
        self.sent = first + opus_packet_samples(data)
        return first, data

    def rewind(self, position: int) -> None:
        """See TrackBuffer.rewind; resends whole packets."""
        super().rewind(position)
        while self._in_flight:
            self._waiting.appendleft(self._in_flight.pop())

    def _forget(self, position: int) -> None:
        for packets in (self._in_flight, self._waiting):
            while packets and packets[0][0] + opus_packet_samples(packets[0][1]) <= position:
                self.buffered_bytes -= len(packets.popleft()[1])


class Outbox:
    """The buffered audio of all tracks. ``work`` is set when there is something to send; a single task sends."""

    def __init__(self, tracks: Iterable[Track], buffer_s: float, buffer_bytes: int) -> None:
        self._buffers = {
            track.track_id: (SampleBuffer if track.unit_bytes else PacketBuffer)(track) for track in tracks
        }
        self._rotation = deque(self._buffers.values())
        self._buffer_s, self._buffer_bytes = buffer_s, buffer_bytes
        self.work, self._changed = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None

    def buffer(self, track_id: str) -> TrackBuffer:
        """Return the log of a track. Raises ValueError for an unknown track."""
        try:
            return self._buffers[track_id]
        except KeyError:
            raise ValueError(
                f"unknown track {track_id!r}; the tracks are {', '.join(self._buffers) or 'none'}"
            ) from None

    def room(self, buffer: TrackBuffer) -> int:
        """Return how many bytes may be appended now; 0 or less if there is no room."""
        rate, unit_bytes = buffer.track.rate_hz, buffer.track.unit_bytes
        room = self._buffer_bytes - buffer.buffered_bytes
        if rate is not None:
            samples = int(self._buffer_s * rate) - (buffer.end - buffer.acknowledged)
            if samples <= 0:
                return 0
            # A packet's sample count is known only on arrival, so it is accepted whole.
            room = min(room, samples * unit_bytes) if unit_bytes else room
        return room

    async def wait_for_room(self, buffer: TrackBuffer, needed: int) -> int:
        """Wait until ``needed`` bytes may be appended, and return how many may. Raises MeetraError after ``fail``."""
        while True:
            if self._failure is not None:
                raise self._failure
            if (room := self.room(buffer)) >= needed:
                return room
            await self._wait_for_change()

    async def wait_until_acknowledged(self) -> None:
        """Wait until the buffer is empty. Raises MeetraError after ``fail``."""
        while any(buffer.acknowledged < buffer.end for buffer in self._rotation):
            if self._failure is not None:
                raise self._failure
            await self._wait_for_change()

    def append(self, buffer: TrackBuffer, data: bytes, captured_ms: int | None = None) -> None:
        """Append audio to a track, and when its first sample was captured if known, and wake the sender."""
        if captured_ms is not None:
            buffer.mark(captured_ms)
        buffer.append(data)
        self.work.set()

    def next_chunk(self, max_bytes: int) -> live_pb2.AudioChunk | None:
        """Return the next chunk, alternating between tracks; None if all audio is in flight."""
        for _ in range(len(self._rotation)):
            buffer = self._rotation[0]
            self._rotation.rotate(-1)
            if (chunk := buffer.next_chunk(max_bytes)) is not None:
                return live_pb2.AudioChunk(
                    track_id=buffer.track.track_id,
                    first_sample=chunk[0],
                    data=chunk[1],
                    captured_ms=buffer.captured_ms(chunk[0]),
                )
        return None

    @property
    def awaiting(self) -> bool:
        """Whether any sent audio is unacknowledged."""
        return any(buffer.acknowledged < buffer.sent for buffer in self._rotation)

    @property
    def undelivered(self) -> dict[str, int]:
        """Number of unacknowledged positions per track, without zeros."""
        buffers = self._buffers.items()
        return {name: buffer.end - buffer.acknowledged for name, buffer in buffers if buffer.acknowledged < buffer.end}

    def begin(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Set the tracks' start positions before any audio. Raises ValueError for a track that the session lacks."""
        next_samples = {position.track_id: position.next_sample for position in positions}
        if missing := self._buffers.keys() - next_samples.keys():
            raise ValueError(f"the session has no track {sorted(missing)}; it has {sorted(next_samples)}")
        for name, buffer in self._buffers.items():
            buffer.begin(next_samples[name])

    def rewind(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Resend from the server's positions on a new connection. Raises TakenOver, AudioLost."""
        for position in positions:
            if position.track_id in self._buffers:
                self._buffers[position.track_id].rewind(position.next_sample)
        self.work.set()
        self._changed.set()

    def acknowledge(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Drop audio that has become durable. Raises TakenOver."""
        for position in positions:
            if position.track_id in self._buffers:
                self._buffers[position.track_id].acknowledge(position.next_sample)
        self._changed.set()

    def fail(self, failure: BaseException) -> None:
        """Fail all waiting and later waits with ``failure``."""
        self._failure = failure
        self._changed.set()

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
