"""Parts of a track that are analysed one after the other, each by a session of its own, and joined to one result.

The track of one person is cut where the person sent nothing for long while others went on: what was said before is
final from then on. The cuts are stored with the audio.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace

from server.analysis.recording import Cut, SessionResult
from server.conversation import Event, FinishedEvent, Interval, ReadyEvent, Segment, TurnEvent, shift_word
from server.media import RATE_HZ

# A speech segment and the silence that ends it take at least this many samples: so many segments a part may have.
MIN_SEGMENT_SAMPLES = int(0.44 * RATE_HZ)
# Numbers of the turns of one speech segment; the engine's.
IDS_PER_SEGMENT = 1000
# A rest after the last cut that is shorter is not worth a session, seconds.
MIN_REST_S = 0.1


def first_segment_id(first_sample: int) -> int:
    """Return the smallest segment id of the part of a track that begins at a sample: no earlier part reaches it."""
    return -(-first_sample // MIN_SEGMENT_SAMPLES) * IDS_PER_SEGMENT


def part_segment(segment: Segment, first_sample: int) -> Segment:
    """Return a segment of the part that begins at ``first_sample`` as one of the whole track."""
    if not first_sample:
        return segment
    shift_us = first_sample * 1_000_000 // RATE_HZ
    return replace(
        segment,
        segment_id=segment.segment_id + first_segment_id(first_sample),
        start_us=segment.start_us + shift_us,
        end_us=segment.end_us + shift_us,
        words=tuple(shift_word(word, shift_us) for word in segment.words),
    )


def join_parts(parts: Sequence[tuple[int, SessionResult]]) -> SessionResult:
    """Return the result of a whole track.

    Language, noise and voice are those of the longest part.

    Args:
        parts: at least one, in order, each with its first sample at 16 kHz.
    """
    if len(parts) == 1:
        return parts[0][1]
    longest = max((result for _, result in parts), key=lambda result: result.level.samples)
    joined = SessionResult(
        vectors=longest.vectors,
        voice_model=longest.voice_model,
        same_voice_similarity=longest.same_voice_similarity,
        language_unknown=longest.language_unknown,
    )
    music: list[Interval] = []
    for first, result in parts:
        joined.level.include(result.level)
        shift_us = first * 1_000_000 // RATE_HZ
        for event in result.events:
            if isinstance(event, TurnEvent):
                joined.events.append(replace(event, segment=part_segment(event.segment, first)))
            elif isinstance(event, FinishedEvent):
                music += [Interval(start + shift_us, end + shift_us) for start, end in event.music]
    (opened,) = _of(longest, ReadyEvent)
    (finished,) = _of(longest, FinishedEvent)
    first, last = parts[-1]
    (end,) = _of(last, FinishedEvent)
    assert isinstance(finished, FinishedEvent)
    assert isinstance(end, FinishedEvent)
    duration_us = first * 1_000_000 // RATE_HZ + end.duration_us
    joined.events += [opened, replace(finished, duration_us=duration_us, music=tuple(music))]
    return joined


def _of(result: SessionResult, kind: type[Event]) -> list[Event]:
    return [event for event in result.events if isinstance(event, kind)]


class PcmParts:
    """The audio of a track, part by part."""

    def __init__(self, pcm: AsyncIterator[bytes], cuts: Sequence[Cut]) -> None:
        """
        Args:
            pcm: the whole track, s16le mono at 16 kHz.
            cuts: between the parts, ascending.
        """
        self._pcm, self._cuts = pcm, list(cuts)
        self._rest = b""
        self._taken = 0
        self._start: int | None = 0  # of the next part, where it is not yet begun

    async def next_part(self) -> int | None:
        """Return the first sample of the next part; None after the last."""
        if self._start == 0:
            self._start = None
            return 0
        while self._start is not None and self._taken < self._start and await self._holds(1):
            self._take(self._start)
        if not self._cuts and not await self._holds(int(MIN_REST_S * RATE_HZ)):
            return None
        return self._taken

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the audio of the part, s16le."""
        end, self._start = self._cuts.pop(0) if self._cuts else (None, None)
        while end is None or self._taken < end:
            if not await self._holds(1):
                return
            yield self._take(end)

    def _take(self, end: int | None) -> bytes:
        """Return what is there of the audio before a sample."""
        size = len(self._rest) if end is None else min(len(self._rest), 2 * (end - self._taken))
        chunk, self._rest = self._rest[:size], self._rest[size:]
        self._taken += size // 2
        return chunk

    async def _holds(self, samples: int) -> bool:
        while len(self._rest) < 2 * samples:
            data = await anext(self._pcm, None)
            if data is None:
                return False
            self._rest += data
        return True
