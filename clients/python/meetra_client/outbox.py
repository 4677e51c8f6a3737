"""The buffer of unacknowledged audio: numbered, and resent as needed."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable

from meetra.v1 import live_pb2

from meetra_client.errors import AudioLost, TakenOver
from meetra_client.tracks import Track, opus_packet_samples


class TrackLog(ABC):
    """One track's buffered audio, from ``acknowledged`` to ``end``; audio before ``sent`` is in flight."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.acknowledged = self.sent = self.end = 0
        self.bytes_kept = 0

    def begin(self, position: int) -> None:
        """Set the position of the first audio."""
        self.acknowledged = self.sent = self.end = position

    @abstractmethod
    def append(self, data: bytes) -> None:
        """Append whole samples, or one packet."""

    @abstractmethod
    def take(self, most_bytes: int) -> tuple[int, bytes] | None:
        """Return the position and bytes of the next audio to send, at most ``most_bytes``; None if all is in flight."""

    def acknowledge(self, position: int) -> None:
        """Drop audio before ``position``. Raises TakenOver if this client never queued it."""
        if position > self.end:
            raise TakenOver(
                f"the session holds audio of track {self.track.track_id!r} up to {position}, and this client gave it "
                f"{self.end}: somebody else sends it"
            )
        if position > self.acknowledged:
            self._forget(position)
            self.acknowledged = position
            self.sent = max(self.sent, position)

    def rewind(self, position: int) -> None:
        """Resend from ``position``, the server's. Raises TakenOver, AudioLost."""
        if position < self.acknowledged:
            raise AudioLost(
                f"the server asks for track {self.track.track_id!r} from {position}, and had acknowledged "
                f"{self.acknowledged}"
            )
        self.acknowledge(position)
        self.sent = position

    @abstractmethod
    def _forget(self, position: int) -> None:
        """Drop audio before ``position``."""


class SampleLog(TrackLog):
    """The log of a track with fixed-size positions."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self._data = bytearray()

    def append(self, data: bytes) -> None:
        """See TrackLog.append."""
        self._data += data
        self.end += len(data) // self.track.unit_bytes
        self.bytes_kept = len(self._data)

    def take(self, most_bytes: int) -> tuple[int, bytes] | None:
        """See TrackLog.take."""
        if self.sent == self.end:
            return None
        unit, first = self.track.unit_bytes, self.sent
        begin = (first - self.acknowledged) * unit
        data = bytes(memoryview(self._data)[begin : begin + max(most_bytes // unit, 1) * unit])
        self.sent += len(data) // unit
        return first, data

    def _forget(self, position: int) -> None:
        del self._data[: (position - self.acknowledged) * self.track.unit_bytes]
        self.bytes_kept = len(self._data)


class PacketLog(TrackLog):
    """The log of a track of Opus packets, which are never split."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self._on_way: deque[tuple[int, bytes]] = deque()
        self._waiting: deque[tuple[int, bytes]] = deque()

    def append(self, data: bytes) -> None:
        """See TrackLog.append."""
        samples = opus_packet_samples(data)
        self._waiting.append((self.end, data))
        self.end += samples
        self.bytes_kept += len(data)

    def take(self, most_bytes: int) -> tuple[int, bytes] | None:
        """See TrackLog.take; returns a whole packet of any size."""
        if not self._waiting:
            return None
        first, data = self._waiting.popleft()
        self._on_way.append((first, data))
        self.sent = first + opus_packet_samples(data)
        return first, data

    def rewind(self, position: int) -> None:
        """See TrackLog.rewind; resends whole packets."""
        super().rewind(position)
        while self._on_way:
            self._waiting.appendleft(self._on_way.pop())

    def _forget(self, position: int) -> None:
        for packets in (self._on_way, self._waiting):
            while packets and packets[0][0] + opus_packet_samples(packets[0][1]) <= position:
                self.bytes_kept -= len(packets.popleft()[1])


class Outbox:
    """The buffered audio of all tracks. ``work`` is set when there is something to send; a single task sends."""

    def __init__(self, tracks: Iterable[Track], buffer_s: float, buffer_bytes: int) -> None:
        self._logs = {track.track_id: (SampleLog if track.unit_bytes else PacketLog)(track) for track in tracks}
        self._turns = deque(self._logs.values())
        self._buffer_s, self._buffer_bytes = buffer_s, buffer_bytes
        self.work, self._moved = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None

    def log(self, track_id: str) -> TrackLog:
        """Return the log of a track. Raises ValueError for an unknown track."""
        try:
            return self._logs[track_id]
        except KeyError:
            raise ValueError(f"no track {track_id!r}; there are {', '.join(self._logs) or 'none'}") from None

    def room(self, log: TrackLog) -> int:
        """Return how many bytes may be appended now; 0 or less if there is no room."""
        rate, unit = log.track.rate_hz, log.track.unit_bytes
        room = self._buffer_bytes - log.bytes_kept
        if rate is not None:
            samples = int(self._buffer_s * rate) - (log.end - log.acknowledged)
            if samples <= 0:
                return 0
            # A packet's sample count is known only on arrival, so it is accepted whole.
            room = min(room, samples * unit) if unit else room
        return room

    async def until_room(self, log: TrackLog, needed: int) -> int:
        """Wait until ``needed`` bytes may be appended, and return how many may. Raises MeetraError after ``fail``."""
        while True:
            if self._failure is not None:
                raise self._failure
            if (room := self.room(log)) >= needed:
                return room
            await self._change()

    async def until_acknowledged(self) -> None:
        """Wait until the buffer is empty. Raises MeetraError after ``fail``."""
        while any(log.acknowledged < log.end for log in self._turns):
            if self._failure is not None:
                raise self._failure
            await self._change()

    def append(self, log: TrackLog, data: bytes) -> None:
        """Append audio to a track and wake the sender."""
        log.append(data)
        self.work.set()

    def take(self, most_bytes: int) -> live_pb2.AudioChunk | None:
        """Return the next chunk, alternating between tracks; None if all audio is in flight."""
        for _ in range(len(self._turns)):
            log = self._turns[0]
            self._turns.rotate(-1)
            if (taken := log.take(most_bytes)) is not None:
                return live_pb2.AudioChunk(track_id=log.track.track_id, first_sample=taken[0], data=taken[1])
        return None

    @property
    def awaiting(self) -> bool:
        """Whether any sent audio is unacknowledged."""
        return any(log.acknowledged < log.sent for log in self._turns)

    @property
    def undelivered(self) -> dict[str, int]:
        """Number of unacknowledged positions per track, without zeros."""
        logs = self._logs.items()
        return {name: log.end - log.acknowledged for name, log in logs if log.acknowledged < log.end}

    def begin(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Set the tracks' start positions before any audio. Raises ValueError for a track that the session lacks."""
        stand = {position.track_id: position.next_sample for position in positions}
        if missing := self._logs.keys() - stand.keys():
            raise ValueError(f"the session has no track {sorted(missing)}; it has {sorted(stand)}")
        for name, log in self._logs.items():
            log.begin(stand[name])

    def rewind(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Resend from the server's positions on a new connection. Raises TakenOver, AudioLost."""
        for position in positions:
            if position.track_id in self._logs:
                self._logs[position.track_id].rewind(position.next_sample)
        self.work.set()
        self._moved.set()

    def acknowledge(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Drop audio that has become durable. Raises TakenOver."""
        for position in positions:
            if position.track_id in self._logs:
                self._logs[position.track_id].acknowledge(position.next_sample)
        self._moved.set()

    def fail(self, failure: BaseException) -> None:
        """Fail all waiting and later waits with ``failure``."""
        self._failure = failure
        self._moved.set()

    async def _change(self) -> None:
        self._moved.clear()
        await self._moved.wait()
