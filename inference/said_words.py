"""Which words were said in which segment."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

from inference.diarization.resegmentation import SpeakerSegment
from inference.models import RecognisedWord


def words_by_segment(
    segments: Sequence[SpeakerSegment], words: Sequence[RecognisedWord]
) -> dict[int, list[RecognisedWord]]:
    """Each word goes to the segment (by index) it overlaps most, or else to the nearest.

    Who speaks beside somebody else gets none: a recogniser that hears one voice at a time writes what the one says
    who has the floor.
    """
    places = [place for place, segment in enumerate(segments) if not segment.beside]
    segments = [segments[place] for place in places]
    starts = [segment.start_s for segment in segments]
    said: defaultdict[int, list[RecognisedWord]] = defaultdict(list)
    for word in words:
        first = max(0, bisect_right(starts, word.start_s) - 1)
        last = min(len(segments), bisect_right(starts, word.end_s) + 1)

        # Overlap in seconds; without any, minus the distance.
        def closeness(index: int, word: RecognisedWord = word) -> float:
            return min(word.end_s, segments[index].end_s) - max(word.start_s, segments[index].start_s)

        said[places[max(range(first, max(last, first + 1)), key=closeness)]].append(word)
    return said
