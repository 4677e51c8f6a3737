"""Speech that a track carries for somebody who has a track of their own, left out of it.

A mix of the meeting beside the participants' own tracks carries every sentence twice, and so does a microphone that
picks up other people's loudspeakers. Which moments of a track are copies is judged from the audio
(``server/analysis/copied_voice.py``), in frames of a quarter of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from itertools import groupby

from server.conversation.conversation import Segment, Word

FRAME_US = 250_000
# A shorter run of frames, between others, is a wrong judgement of a frame that holds a bit of both.
MIN_RUN_FRAMES = 2
# The ids of the parts of a segment but the first: those of engines have 32 bits.
PART_IDS, MAX_PARTS = 2**32, 64

Part = tuple[int, int, tuple[Word, ...]]
"""Start and end, microseconds, and words."""


class Heard(IntEnum):
    """What a track carries in one frame."""

    NOTHING = 0
    """Silence."""
    OWN = 1
    COPY = 2
    """The voice of somebody else's track, and no other."""


def own_parts(start_us: int, end_us: int, words: Sequence[Word], frames: Sequence[int]) -> list[Part]:
    """Return what a segment has of its own, in order of time; nothing if it is a copy.

    Without copied frames the whole segment is returned as it is.

    Args:
        start_us, end_us: the segment, microseconds from the start of its track.
        words: its words, by the same clock.
        frames: ``Heard`` for each frame of the track from its start; beyond them everything is its own.
    """
    first, last = start_us // FRAME_US, max(start_us, end_us - 1) // FRAME_US
    heard = list(frames[first : last + 1])
    if Heard.COPY not in heard:
        return [(start_us, end_us, tuple(words))]
    parts: list[Part] = []
    begin = first
    for copied, run in groupby(_copied(heard + [Heard.OWN] * (last + 1 - first - len(heard)))):
        stop = begin + len(list(run))
        if not copied and len(parts) < MAX_PARTS:
            part_start, part_end = max(start_us, begin * FRAME_US), min(end_us, stop * FRAME_US)
            own = (word for word in words if begin <= (word.start_us + word.end_us) // 2 // FRAME_US < stop)
            parts.append((part_start, part_end, tuple(own)))
        begin = stop
    return parts


def part_id(segment_id: int, part: int) -> int:
    """Return the id of a segment's part, from 0; the first keeps the segment's."""
    return segment_id + part * PART_IDS


def leave_out_copies(segments: Sequence[Segment], frames: Sequence[int]) -> tuple[Segment, ...]:
    """Return what a track's segments have of their own; arguments as those of ``own_parts``."""
    left = []
    for segment in segments:
        parts = own_parts(segment.start_us, segment.end_us, segment.words, frames)
        if parts == [(segment.start_us, segment.end_us, segment.words)]:
            left.append(segment)
            continue
        left += [
            replace(segment, segment_id=part_id(segment.segment_id, number), start_us=start, end_us=end, words=words)
            for number, (start, end, words) in enumerate(parts)
        ]
    return tuple(left)


def _copied(heard: Sequence[int]) -> list[bool]:
    """Return for each frame of a segment whether it is copied; silence belongs to what is before it, or after it."""
    known = [frame == Heard.COPY for frame in heard if frame != Heard.NOTHING]
    copied, last = [], known[0]
    for frame in heard:
        last = last if frame == Heard.NOTHING else frame == Heard.COPY
        copied.append(last)
    # First what interrupts the person's own speech, then what is left between copies.
    return _without_short_runs(_without_short_runs(copied, short=True), short=False)


def _without_short_runs(copied: list[bool], *, short: bool) -> list[bool]:
    """Return the frames with runs of ``short`` under MIN_RUN_FRAMES turned, where there is another run beside."""
    runs = [(value, len(list(run))) for value, run in groupby(copied)]
    turned: list[bool] = []
    for value, length in runs:
        turn = len(runs) > 1 and value is short and length < MIN_RUN_FRAMES
        turned += [value is not turn] * length
    return turned
