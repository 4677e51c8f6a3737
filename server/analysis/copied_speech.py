"""Which frames of a meeting's tracks are copies of other tracks, read from the audio once more.

The same judgement, frame by frame, is made while a meeting is live (``server/live/copied_speech.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from server.analysis.copied_voice import FRAME, MARGIN, MAX_DELAY, judge_frames
from server.analysis.recording import AudioTrack, SessionResult
from server.conversation import FRAME_US, Conversation, fold
from server.media import RATE_HZ


class _Reader:
    """Samples of a track by the meeting's clock, read from its beginning on."""

    def __init__(self, pcm: AsyncIterator[bytes], start: int) -> None:
        self._pcm, self._ended = pcm, False
        self._begin, self._buffer = start, np.zeros(0, np.int16)

    async def fill(self, end: int) -> None:
        """Read until the samples before ``end`` are there, or the track has ended."""
        pieces = [self._buffer]
        have = self._begin + len(self._buffer)
        while have < end and not self._ended:
            data = await anext(self._pcm, None)
            if data is None:
                self._ended = True
            else:
                pieces.append(np.frombuffer(data, "<i2"))
                have += len(pieces[-1])
        self._buffer = np.concatenate(pieces)

    def forget(self, before: int) -> None:
        """Drop the samples before this one."""
        dropped = min(max(0, before - self._begin), len(self._buffer))
        self._begin, self._buffer = self._begin + dropped, self._buffer[dropped:]

    def span(self, begin: int, end: int) -> NDArray[np.int16]:
        """Return the samples from ``begin`` to ``end``; 0 where the track has none."""
        span = np.zeros(end - begin, np.int16)
        first, last = max(begin, self._begin), min(end, self._begin + len(self._buffer))
        if first < last:
            span[first - begin : last - begin] = self._buffer[first - self._begin : last - self._begin]
        return span


def owners(tracks: Sequence[AudioTrack], index: int) -> list[int]:
    """Return the indices of the tracks whose voices ``tracks[index]`` may copy: those of single people."""
    return [other for other, track in enumerate(tracks) if other != index and track.is_participant]


async def find_copies(tracks: Sequence[AudioTrack], results: Sequence[SessionResult]) -> list[bytes]:
    """Return for each track ``Heard`` of its frames, as far as it has segments; empty without any to compare.

    Args:
        results: what the session of each track has found.
    """
    wanted = [
        _frames_with_speech(fold(result.events)) if owners(tracks, index) else set()
        for index, result in enumerate(results)
    ]
    frames = [bytearray(max(own, default=-1) + 1) for own in wanted]
    starts = [round(track.start_us * RATE_HZ / 1_000_000) for track in tracks]
    ends = [start + len(own) * FRAME for start, own in zip(starts, frames, strict=True) if own]
    if not ends:
        return [bytes(own) for own in frames]
    async with AsyncExitStack() as stack:
        readers = []
        for track, start in zip(tracks, starts, strict=True):
            pcm = cast("AsyncGenerator[bytes, None]", track.pcm())
            readers.append(_Reader(await stack.enter_async_context(aclosing(pcm)), start))
        for second in range(-(-max(ends) // RATE_HZ)):
            begin, end = second * RATE_HZ, (second + 1) * RATE_HZ
            for reader in readers:
                reader.forget(begin - FRAME - MARGIN - MAX_DELAY)
                await reader.fill(end + FRAME + MARGIN + MAX_DELAY)
            for index, start in enumerate(starts):
                numbers = range(max(0, -(-(begin - start) // FRAME)), max(0, -(-(end - start) // FRAME)))
                if not wanted[index].isdisjoint(numbers):
                    first = start + numbers.start * FRAME - MARGIN
                    last = start + numbers.stop * FRAME + MARGIN
                    others = [
                        readers[owner].span(first - MAX_DELAY, last + MAX_DELAY) for owner in owners(tracks, index)
                    ]
                    judge = partial(judge_frames, is_mix=not tracks[index].is_participant)
                    heard = await asyncio.to_thread(judge, readers[index].span(first, last), others)
                    for number, frame in zip(numbers, heard, strict=True):
                        if number < len(frames[index]):
                            frames[index][number] = frame
    return [bytes(own) for own in frames]


def _frames_with_speech(conversation: Conversation) -> set[int]:
    return {
        frame
        for segment in conversation.segments
        for frame in range(segment.start_us // FRAME_US, max(segment.start_us, segment.end_us - 1) // FRAME_US + 1)
    }
