"""Audio that was handed over and is not yet acknowledged: kept, numbered, and sent again where need be."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable

from meetra.v1 import live_pb2

from meetra_client.errors import AudioLost, TakenOver
from meetra_client.tracks import Track, opus_packet_samples


class TrackLog(ABC):
    """One track's audio from ``acknowledged`` to ``end``; what is before ``sent`` is on its way."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.acknowledged = self.sent = self.end = 0
        self.bytes_kept = 0

    def begin(self, position: int) -> None:
        """The first audio will be at ``position``."""
        self.acknowledged = self.sent = self.end = position

    @abstractmethod
    def append(self, data: bytes) -> None:
        """Adds whole units, or one packet."""

    @abstractmethod
    def take(self, most_bytes: int) -> tuple[int, bytes] | None:
        """The next audio to send and its position, at most so many bytes; None when all is on its way."""

    def acknowledge(self, position: int) -> None:
        """Forgets what is before ``position``. Raises TakenOver when that was never ours."""
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
        """The next to send is at ``position``, where the server stands. Raises TakenOver, AudioLost."""
        if position < self.acknowledged:
            raise AudioLost(
                f"the server asks for track {self.track.track_id!r} from {position}, and had acknowledged "
                f"{self.acknowledged}"
            )
        self.acknowledge(position)
        self.sent = position

    @abstractmethod
    def _forget(self, position: int) -> None:
        """Lets go of what is before ``position``."""


class SampleLog(TrackLog):
    """A track whose every position has the same number of bytes."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self._data = bytearray()

    def append(self, data: bytes) -> None:
        self._data += data
        self.end += len(data) // self.track.unit_bytes
        self.bytes_kept = len(self._data)

    def take(self, most_bytes: int) -> tuple[int, bytes] | None:
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
    """A track of Opus packets, none of which can be cut."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self._on_way: deque[tuple[int, bytes]] = deque()
        self._waiting: deque[tuple[int, bytes]] = deque()

    def append(self, data: bytes) -> None:
        samples = opus_packet_samples(data)
        self._waiting.append((self.end, data))
        self.end += samples
        self.bytes_kept += len(data)

    def take(self, most_bytes: int) -> tuple[int, bytes] | None:
        if not self._waiting:
            return None
        first, data = self._waiting.popleft()
        self._on_way.append((first, data))
        self.sent = first + opus_packet_samples(data)
        return first, data

    def rewind(self, position: int) -> None:
        super().rewind(position)
        while self._on_way:
            self._waiting.appendleft(self._on_way.pop())

    def _forget(self, position: int) -> None:
        for packets in (self._on_way, self._waiting):
            while packets and packets[0][0] + opus_packet_samples(packets[0][1]) <= position:
                self.bytes_kept -= len(packets.popleft()[1])


class Outbox:
    """All tracks of a meeting. ``work`` is set when there is something to send; one task sends."""

    def __init__(self, tracks: Iterable[Track], buffer_s: float, buffer_bytes: int) -> None:
        self._logs = {track.track_id: (SampleLog if track.unit_bytes else PacketLog)(track) for track in tracks}
        self._turns = deque(self._logs.values())
        self._buffer_s, self._buffer_bytes = buffer_s, buffer_bytes
        self.work, self._moved = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None

    def log(self, track_id: str) -> TrackLog:
        """The track. Raises ValueError where the meeting has none of that name."""
        try:
            return self._logs[track_id]
        except KeyError:
            raise ValueError(f"no track {track_id!r}; there are {', '.join(self._logs) or 'none'}") from None

    def room(self, log: TrackLog) -> int:
        """Bytes that may be added now; not more than 0 when there is no room."""
        rate, unit = log.track.rate_hz, log.track.unit_bytes
        room = self._buffer_bytes - log.bytes_kept
        if rate is not None:
            samples = int(self._buffer_s * rate) - (log.end - log.acknowledged)
            if samples <= 0:
                return 0
            # How many samples a packet's bytes hold is known when it comes: it is taken whole.
            room = min(room, samples * unit) if unit else room
        return room

    async def until_room(self, log: TrackLog, needed: int) -> int:
        """Waits until ``needed`` bytes may be added; how many may. Raises MeetraError when none ever can."""
        while True:
            if self._failure is not None:
                raise self._failure
            if (room := self.room(log)) >= needed:
                return room
            await self._change()

    async def until_acknowledged(self) -> None:
        """Waits until nothing is kept any more. Raises MeetraError when that cannot be."""
        while any(log.acknowledged < log.end for log in self._turns):
            if self._failure is not None:
                raise self._failure
            await self._change()

    def append(self, log: TrackLog, data: bytes) -> None:
        """Takes audio in, to be sent soon."""
        log.append(data)
        self.work.set()

    def take(self, most_bytes: int) -> live_pb2.AudioChunk | None:
        """The next chunk, track by track in turn; None when all is on its way."""
        for _ in range(len(self._turns)):
            log = self._turns[0]
            self._turns.rotate(-1)
            if (taken := log.take(most_bytes)) is not None:
                return live_pb2.AudioChunk(track_id=log.track.track_id, first_sample=taken[0], data=taken[1])
        return None

    @property
    def awaiting(self) -> bool:
        """Whether something was sent and is not acknowledged."""
        return any(log.acknowledged < log.sent for log in self._turns)

    @property
    def undelivered(self) -> dict[str, int]:
        """How many positions of each track are not acknowledged, where any."""
        logs = self._logs.items()
        return {name: log.end - log.acknowledged for name, log in logs if log.acknowledged < log.end}

    def begin(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Where the tracks stand before anything is appended. Raises ValueError for a track that the meeting lacks."""
        stand = {position.track_id: position.next_sample for position in positions}
        if missing := self._logs.keys() - stand.keys():
            raise ValueError(f"the session has no track {sorted(missing)}; it has {sorted(stand)}")
        for name, log in self._logs.items():
            log.begin(stand[name])

    def rewind(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """A new connection: sends on from where the server stands. Raises TakenOver, AudioLost."""
        for position in positions:
            if position.track_id in self._logs:
                self._logs[position.track_id].rewind(position.next_sample)
        self.work.set()
        self._moved.set()

    def acknowledge(self, positions: Iterable[live_pb2.TrackPosition]) -> None:
        """Audio has become durable. Raises TakenOver."""
        for position in positions:
            if position.track_id in self._logs:
                self._logs[position.track_id].acknowledge(position.next_sample)
        self._moved.set()

    def fail(self, failure: BaseException) -> None:
        """Nothing more will be acknowledged: whoever waits is told."""
        self._failure = failure
        self._moved.set()

    async def _change(self) -> None:
        self._moved.clear()
        await self._moved.wait()
