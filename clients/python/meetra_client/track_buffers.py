"""The buffers of unacknowledged audio of single tracks: numbered, and resent as needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import deque

from meetra_client.errors import AudioLost, TakenOver
from meetra_client.tracks import Track, opus_packet_samples


class TrackBuffer(ABC):
    """One track's buffered audio, from ``acknowledged`` to ``end``; audio before ``sent`` is in flight."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.acknowledged = self.sent = self.end = 0
        self.buffered_bytes = 0
        self.ended = False
        """No more audio is accepted."""
        self.failure: BaseException | None = None
        """Why audio of the track cannot be delivered."""
        self._captured: list[tuple[int, int]] = []  # positions with when they were captured, ms, ascending

    def begin(self, position: int) -> None:
        """Set the position of the first audio."""
        self.acknowledged = self.sent = self.end = position

    def mark(self, captured_ms: int) -> None:
        """Note when the sample at ``end``, which is appended next, was captured."""
        self._captured.append((self.end, captured_ms))

    def captured_ms(self, position: int) -> int | None:
        """Return when the sample at a position was captured, milliseconds, if that was noted for it."""
        noted = self._noted_from(position)
        return noted[1] if noted is not None and noted[0] == position else None

    def end_s(self, more: int) -> float:
        """Return when the track ends with ``more`` samples, seconds of the meeting; 0 where positions are bytes."""
        rate_hz = self.track.rate_hz
        return self.track.start_ms / 1000 + (self.end + more) / rate_hz if rate_hz else 0.0

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

    def _noted_from(self, position: int) -> tuple[int, int] | None:
        """Return the first noted position at or after one, and when its sample was captured; None if there is none."""
        at = bisect_left(self._captured, (position, 0))
        return self._captured[at] if at < len(self._captured) else None

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
        if (later := self._noted_from(first + 1)) is not None:
            samples = min(samples, later[0] - first)
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


def track_buffer(track: Track) -> TrackBuffer:
    """Return an empty buffer of the kind that a track needs."""
    return SampleBuffer(track) if track.unit_bytes else PacketBuffer(track)
