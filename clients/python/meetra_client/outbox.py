"""The unacknowledged audio of all tracks of a meeting, in the order in which it is sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from meetra.v1 import live_pb2

from meetra_client.track_buffers import TrackBuffer, track_buffer
from meetra_client.tracks import Track


class Outbox:
    """The buffered audio of all tracks. ``work`` is set when there is something to send; a single task sends."""

    def __init__(self, tracks: Iterable[Track], buffer_s: float, buffer_bytes: int) -> None:
        self._buffers = {track.track_id: track_buffer(track) for track in tracks}
        self._rotation = deque(self._buffers.values())
        self._withheld: set[str] = set()
        self._refused: dict[str, BaseException] = {}
        self._buffer_s, self._buffer_bytes = buffer_s, buffer_bytes
        self.work, self._changed = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None

    def add(self, track: Track, position: int, *, withheld: bool) -> None:
        """Accept audio of another track.

        Args:
            position: of its first sample.
            withheld: nothing of it is sent before ``release``.
        """
        buffer = self._buffers[track.track_id] = track_buffer(track)
        buffer.begin(position)
        self._refused.pop(track.track_id, None)
        self._rotation.append(buffer)
        if withheld:
            self._withheld.add(track.track_id)

    def withhold(self, track_id: str) -> None:
        """Send nothing of a track before ``release``: the server does not know it."""
        self._withheld.add(track_id)

    def release(self, track_id: str) -> None:
        """Send the audio of a track from now on."""
        self._withheld.discard(track_id)
        self.work.set()

    def begin_at(self, track_id: str, start_ms: int) -> None:
        """Note when a track begins, milliseconds from the start of the meeting."""
        buffer = self._buffers[track_id]
        buffer.track = replace(buffer.track, start_ms=start_ms)

    def drop(self, track_id: str, failure: BaseException, *, known: bool = True) -> None:
        """Forget the audio of a track, which the server does not take; ``send`` raises ``failure`` from now on.

        Args:
            known: the meeting has the track; without it the id may be added again.
        """
        buffer = self._buffers[track_id]
        buffer.ended, buffer.failure = True, failure
        buffer.acknowledge(buffer.end)
        if not known:
            del self._buffers[track_id]
            self._rotation.remove(buffer)
            self._withheld.discard(track_id)
            self._refused[track_id] = failure
        self._changed.set()

    def has(self, track_id: str) -> bool:
        """Return whether audio of a track is sent from here."""
        return track_id in self._buffers

    def has_sent(self, positions: Mapping[str, int]) -> bool:
        """Return whether the audio of tracks is sent on this connection up to these positions."""
        return all(self._buffers[name].sent >= end for name, end in positions.items() if name in self._buffers)

    def buffer(self, track_id: str) -> TrackBuffer:
        """Return the log of a track. Raises ValueError for an unknown track, MeetraError for one that was refused."""
        if track_id in self._refused:
            raise self._refused[track_id]
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
        """Wait until ``needed`` bytes may be appended, and return how many may.

        Raises MeetraError after ``fail`` and ``drop``.
        """
        while True:
            if failure := self._failure or buffer.failure:
                raise failure
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

    def next_chunk(
        self, max_bytes: int, limits: Mapping[str, int] = MappingProxyType({})
    ) -> live_pb2.AudioChunk | None:
        """Return the next chunk, alternating between tracks; None if nothing is to be sent now.

        Args:
            max_bytes: size of the audio.
            limits: the position of a track at which its audio waits; none for tracks that are not in it.
        """
        for _ in range(len(self._rotation)):
            buffer = self._rotation[0]
            self._rotation.rotate(-1)
            name = buffer.track.track_id
            room = limits[name] - buffer.sent if name in limits else None
            if name in self._withheld or (room is not None and room <= 0):
                continue
            most = max_bytes if room is None else min(max_bytes, room * max(buffer.track.unit_bytes, 1))
            if (chunk := buffer.next_chunk(most)) is not None:
                return live_pb2.AudioChunk(
                    track_id=name, first_sample=chunk[0], data=chunk[1], captured_ms=buffer.captured_ms(chunk[0])
                )
        return None

    @property
    def ends(self) -> dict[str, int]:
        """The position of the next sample to ``append``, of each track that takes audio."""
        return {name: buffer.end for name, buffer in self._buffers.items()}

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
        next_samples = {position.track_id: position.next_sample for position in positions}
        for name, buffer in self._buffers.items():
            # A track that was added may be unknown to the server yet.
            if buffer.failure is None:
                buffer.rewind(next_samples.get(name, buffer.acknowledged))
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
