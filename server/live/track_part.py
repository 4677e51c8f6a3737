"""The audio of a part of a live track on its way to the engine.

Usually a track has one part. A participant's track that sends nothing while others go on is cut: what it said so far
is a part, whose result is final, and what it says later is the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.audio import PIECE_SAMPLES, AudioEditor, TrackDecoder, TrackEdits, TrackSound
from server.engine import FLUSH, Flush
from server.live.config import LiveTrack
from server.live.source_log import TrackLog
from server.live.track_log import MeetingAudio
from server.media import RATE_HZ

# Without audio for this long, seconds, a track is silent as far as the engine is concerned: it tells what it knows.
QUIET_S = 1.0
# Chunk sizes sent to the engine, bytes: live audio in blocks of 0.512 s, which is the engine's step (smaller ones would
# not be processed sooner), backlog in blocks of up to four steps.
MIN_CHUNK_BYTES, MAX_CHUNK_BYTES = 8192 * 2, 4 * 8192 * 2
# Two flushes are at least this long apart, seconds: each may cost a recognition.
FLUSH_EVERY_S = 0.5
# A long pause is looked at again after this time, seconds.
LOOK_AGAIN_S = 2.0
# The next part skips what was decoded before: pauses must be as long as this share of it, so that they cannot be made
# to multiply the work.
PAUSE_SHARE = 0.01
# Silence that is filled in is kept from the engine if it lasts so long, seconds, but for its end.
SKIPPED_S, KEPT_S = 30, 1


def part_start(edits: TrackEdits, cut: int) -> int:
    """Return the sample at 16 kHz at which the part after a cut begins: near the end of long silence that follows it.

    Args:
        edits: those of the track, up to the first audio after the cut at least.
        cut: the sample at 16 kHz before which the part before ends.
    """
    end = edits.silence_end(cut)
    return end - KEPT_S * RATE_HZ if end - cut >= SKIPPED_S * RATE_HZ else cut


@dataclass(slots=True)
class _Pause:
    """A pause of the track, as far as others go on meanwhile: where nobody does, the network may be at fault."""

    first_us: int
    """Up to where others had audio when it began, microseconds."""
    latest_us: int
    """The same when they were last looked at."""
    looked_at: float
    went_on_s: float = 0.0
    """For how long others have gone on."""

    def look(self, others_us: int, now: float, most_s: float) -> None:
        """Take note of how far others are now; they went on since the last look, or ``most_s`` of it at most."""
        if others_us > self.latest_us:
            self.went_on_s += min(now - self.looked_at, most_s)
        self.latest_us, self.looked_at = others_us, now


@dataclass(frozen=True, slots=True)
class PauseRules:
    """When a pause of a track ends its engine session."""

    idle_s: float
    """Time without audio, seconds, after which the session is finished until audio comes."""
    engine_silent_s: Callable[[], float]
    """For how long the engine has had nothing to say: one that is behind is waited for."""
    cut_s: float | None = None
    """Time without audio, seconds, after which the track is cut if others have gone on for as long; None: never."""
    others_through_us: Callable[[], int] = lambda: 0
    """Up to where other tracks have audio, microseconds of the meeting."""


class TrackPart:
    """Read one part of a track, from its first sample to its end or to a long pause."""

    def __init__(
        self,
        audio: MeetingAudio,
        log: TrackLog,
        track: LiveTrack,
        sound: TrackSound,
        *,
        first: int = 0,
        end: int | None = None,
        pauses: PauseRules,
    ) -> None:
        """
        Args:
            sound: measures the audio.
            first: first sample at 16 kHz of the part.
            end: the sample after the last; None where the part goes on.
            pauses: when a pause ends the part.
        """
        self._audio, self._log, self._track, self._sound = audio, log, track, sound
        self._first, self._end, self._pauses = first, end, pauses
        self._decoder = TrackDecoder(track.format, track.channel)
        self._editor = AudioEditor(log.edits)
        self._decoded = 0  # with silence that is filled in
        self._buffered = b""
        self.sent = first
        """Samples of the track handed to the engine, or to earlier parts."""
        self.heard_bytes = 0
        """Bytes of the log that were decoded."""
        self.cut = False
        """Whether a pause ended it for good: the next audio begins another part."""
        self._arrived_at = time.monotonic()
        self._pause: _Pause | None = None  # the current one, where it may end in a cut
        self._flushed = first  # samples sent before the last flush
        self._flushed_at = 0.0
        self._flush_after_bytes: int | None = None  # a flush is requested once so much of the log is heard

    @property
    def damaged(self) -> bool:
        """Whether some audio could not be decoded."""
        return self._decoder.damaged

    @property
    def more_follows(self) -> bool:
        """Whether audio beyond the end of the part was decoded, or is there."""
        return self._end is not None and (self._decoded > self._end or self.cut)

    def request_flush(self) -> None:
        """Have the engine tell what it knows of the audio so far."""
        self._flush_after_bytes = self._log.committed_bytes
        self._audio.nudge(self._log)

    async def chunks(self) -> AsyncGenerator[bytes | Flush, None]:
        """Yield the part as s16le mono at 16 kHz, in chunks of the engine's size, and flushes."""
        try:
            async with aclosing(self._audio.read(self._log, self._patience_s)) as raw:
                async for data in raw:
                    if data:
                        self._arrived(len(data))
                        async with aclosing(self._heard(data)) as pieces:
                            async for heard in pieces:
                                self._take(heard.tobytes())
                                for chunk in self._whole_chunks(MAX_CHUNK_BYTES):
                                    yield chunk
                                if self._silence_due():
                                    self.cut, self._end = True, self._decoded
                                    break
                        for chunk in self._whole_chunks(MIN_CHUNK_BYTES):
                            yield chunk
                        if self._end is not None and self._decoded >= self._end:
                            break
                    if self._flush_due(bool(data)):
                        for chunk in self._rest():
                            yield chunk
                        self._flushed, self._flushed_at, self._flush_after_bytes = self.sent, time.monotonic(), None
                        yield FLUSH
                    if not data and self._cut_due():
                        self.cut = True
                        break
                    if not data and self._idle_due():
                        break
            if not self.cut and not self.more_follows:
                for heard in self._editor.pieces(await self._decoder.finish()):
                    self._take(heard.tobytes())
            for chunk in self._rest():
                yield chunk
        finally:
            await self._decoder.close()

    async def _heard(self, data: bytes) -> AsyncGenerator[NDArray[np.int16], None]:
        """Yield what is heard of the next bytes of the log."""
        async with aclosing(self._decoder.pieces(data)) as pieces:
            async for piece in pieces:
                for heard in self._editor.pieces(piece):
                    yield heard
                    if len(heard) == PIECE_SAMPLES:
                        # One of many: a later part passes over hours of silence at once.
                        await asyncio.sleep(0)

    def _arrived(self, size: int) -> None:
        self.heard_bytes += size
        self._arrived_at, self._pause = time.monotonic(), None

    def _quiet_s(self) -> float:
        return time.monotonic() - self._arrived_at

    def _patience_s(self) -> float:
        """Return for how long to wait for audio before the pause is looked at, seconds."""
        quiet_s = self._quiet_s()
        waits = [self._pauses.idle_s - quiet_s if quiet_s < self._pauses.idle_s else LOOK_AGAIN_S]
        if self._unflushed:
            waits.append(max(FLUSH_EVERY_S / 2, QUIET_S - quiet_s))
        if self._flush_after_bytes is not None:
            waits.append(FLUSH_EVERY_S)
        if self._pauses.cut_s is not None:
            waits.append(_look_every_s(self._pauses.cut_s))
        return min(waits)

    @property
    def is_flushed(self) -> bool:
        """Whether a flush has followed everything that came."""
        return not self._unflushed

    @property
    def _unflushed(self) -> bool:
        return self.sent + len(self._buffered) // 2 > self._flushed

    def _flush_due(self, came: bool) -> bool:
        """Return whether to flush now; ``came``: audio came just now."""
        if not self._unflushed or time.monotonic() - self._flushed_at < FLUSH_EVERY_S:
            return False
        requested = self._flush_after_bytes is not None and self.heard_bytes >= self._flush_after_bytes
        return requested or (not came and self._quiet_s() >= QUIET_S)

    def _cut_due(self) -> bool:
        """Return whether the track is quiet while others go on, and holds back what is final of them."""
        cut_s = self._pauses.cut_s
        if cut_s is None or self._quiet_s() < min(QUIET_S, cut_s):
            return False
        now, others_us = time.monotonic(), self._pauses.others_through_us()
        if self._pause is None:
            self._pause = _Pause(others_us, others_us, now)
        self._pause.look(others_us, now, _look_every_s(cut_s))
        went_on_us = others_us - self._pause.first_us
        least_s = max(cut_s, PAUSE_SHARE * self._editor.decoded / RATE_HZ)
        return self.sent > self._first and self._pause.went_on_s >= least_s and went_on_us >= cut_s * 1_000_000

    def _silence_due(self) -> bool:
        """Return whether what follows is silence that is filled in, and so long that the engine need not hear it."""
        if self._pauses.cut_s is None or self._end is not None or self._decoded <= self._first:
            return False
        return self._editor.silence_left >= max(SKIPPED_S * RATE_HZ, PAUSE_SHARE * self._editor.decoded)

    def _idle_due(self) -> bool:
        """Return whether neither audio has come nor the engine has said anything for long."""
        idle_s = self._pauses.idle_s
        return self._quiet_s() >= idle_s and self._pauses.engine_silent_s() >= idle_s

    def _take(self, pcm: bytes) -> None:
        """Buffer decoded samples, as far as they belong to the part."""
        start = self._decoded
        self._decoded += len(pcm) // 2
        last = self._decoded if self._end is None else min(self._decoded, self._end)
        self._buffered += pcm[2 * max(0, self._first - start) : 2 * max(0, last - start)]

    def _whole_chunks(self, least_bytes: int) -> list[bytes]:
        """Return chunks of at least so many bytes; less stays buffered."""
        chunks = []
        while len(self._buffered) >= least_bytes:
            size = min(MAX_CHUNK_BYTES, len(self._buffered) - len(self._buffered) % MIN_CHUNK_BYTES)
            chunks.append(self._send(self._buffered[:size]))
            self._buffered = self._buffered[size:]
        return chunks

    def _rest(self) -> list[bytes]:
        rest, self._buffered = self._buffered, b""
        return [self._send(rest)] if rest else []

    def _send(self, chunk: bytes) -> bytes:
        samples, known = np.frombuffer(chunk, "<i2"), self._sound.measured if self.sent else 0
        # A later part that is read again was measured before.
        if self.sent + len(samples) > known:
            self._sound.add(samples[max(0, known - self.sent) :], max(known, self.sent))
        self.sent += len(samples)
        return chunk


def _look_every_s(cut_s: float) -> float:
    """Return how often a pause is looked at: often enough that one moment in which others go on does not cut."""
    return min(LOOK_AGAIN_S, cut_s / 4)
