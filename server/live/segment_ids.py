"""Segment ids of a live meeting: each names one stretch of speech for ever.

Engines number their turns by place and rebuild them; a client attaches notes to ids. So an id follows the speech: after
each update, turns that changed are matched with the published segments by overlap. live.proto states the rule.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from meetra.v1 import live_pb2 as pb

# An ended turn whose end moves by at most this much has still ended, milliseconds.
END_MOVES_MS = 1000
ENDED = (pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_FINAL)


class Span(NamedTuple):
    """A span of the meeting, milliseconds."""

    start_ms: int
    end_ms: int

    def shared_ms(self, other: Span) -> int:
        """Return how long both last at once; negative where they lie apart."""
        return min(self.end_ms, other.end_ms) - max(self.start_ms, other.start_ms)

    def holds_most_of(self, other: Span) -> bool:
        """Return whether more than half of ``other`` lies in this span; a span without length: all of it."""
        shared = self.shared_ms(other)
        return 2 * shared > other.end_ms - other.start_ms or (shared == 0 and other.start_ms == other.end_ms)


@dataclass(slots=True)
class _Named:
    """What an id names."""

    first: Span
    """As it was first published."""
    ended: Span | None = None
    """As it was when it first was stable or final."""


class SegmentIds:
    """The ids given so far, and the speech that each of them names."""

    def __init__(self) -> None:
        self._named: dict[int, _Named] = {}
        self._last = 0

    def next(self) -> int:
        """Return a new id: 1, 2, 3, ..."""
        self._last += 1
        return self._last

    def record(self, turn: pb.LiveTurn) -> None:
        """Record what is published, or was: called for every turn event of the meeting, in order."""
        self._last = max(self._last, turn.segment_id)
        if turn.state == pb.LIVE_TURN_STATE_RETRACTED:
            self._named.pop(turn.segment_id, None)
            return
        named = self._named.setdefault(turn.segment_id, _Named(span_of(turn)))
        if named.ended is None and turn.state in ENDED:
            named.ended = span_of(turn)

    def may_become(self, published: pb.LiveTurn, turn: pb.LiveTurn) -> bool:
        """Return whether ``turn`` is the speech that ``published`` names."""
        if (published.track_id, published.channel) != (turn.track_id, turn.channel):
            return False
        grows = turn.state == pb.LIVE_TURN_STATE_PARTIAL and turn.end_ms > published.end_ms + END_MOVES_MS
        if published.state in ENDED and grows:
            return False  # it had not ended
        named, span = self._named[published.segment_id], span_of(turn)
        return span.holds_most_of(named.first) and (named.ended is None or span.holds_most_of(named.ended))

    def match(
        self, turns: Mapping[int, pb.LiveTurn], published: Iterable[pb.LiveTurn], known: Mapping[int, int]
    ) -> dict[int, int]:
        """Match turns with the published segments whose speech they are: one to one, longest overlaps first.

        Args:
            turns: by the engine's number; of any track.
            published: segments to choose from, none of them retracted.
            known: the id that a turn had until now, by the engine's number: it wins among equals.

        Returns:
            Segment ids by the engine's number; turns without one need a new id.
        """
        by_track: dict[Hashable, list[pb.LiveTurn]] = {}
        for segment in published:
            by_track.setdefault((segment.track_id, segment.channel), []).append(segment)
        starts: dict[Hashable, list[int]] = {}
        longest: dict[Hashable, int] = {}
        for track, segments in by_track.items():
            segments.sort(key=lambda segment: segment.start_ms)
            starts[track] = [segment.start_ms for segment in segments]
            longest[track] = max(segment.end_ms - segment.start_ms for segment in segments)
        pairs = []
        for number, turn in turns.items():
            track, span = (turn.track_id, turn.channel), span_of(turn)
            segments = by_track.get(track, [])
            first = bisect_left(starts.get(track, []), span.start_ms - longest.get(track, 0))
            for segment in segments[first:]:
                if segment.start_ms > span.end_ms:
                    break
                if self.may_become(segment, turn):
                    # Of two that speak at once, the one who was told.
                    same_speaker = segment.speaker_id == turn.speaker_id
                    rank = span.shared_ms(span_of(segment)) * (3 if same_speaker else 2)
                    pairs.append((-rank, known.get(number) != segment.segment_id, segment.segment_id, number))
        found: dict[int, int] = {}
        taken: set[int] = set()
        for _, _, segment_id, number in sorted(pairs):
            if number not in found and segment_id not in taken:
                found[number] = segment_id
                taken.add(segment_id)
        return found


def span_of(turn: pb.LiveTurn) -> Span:
    """Return the span of a turn."""
    return Span(turn.start_ms, turn.end_ms)
