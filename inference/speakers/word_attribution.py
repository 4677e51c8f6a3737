"""Assigning words to speaker segments."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, takewhile

from inference.diarization import SpeakerSegment
from inference.models import RecognisedWord

# A change of speaker moves to the end of a sentence this close, seconds: between speakers who interrupt each other,
# diarization is half a second early or late. Measured in docs/accuracy.md.
SENTENCE_WITHIN_S = 0.6
# Full stops of many scripts, with the quotes and brackets that may follow them.
_SENTENCE_END = re.compile("[.?!…。！？｡؟۔।॥።፧။།][\"'”’»)\\]」』]*$")


def words_by_segment(
    segments: Sequence[SpeakerSegment], words: Sequence[RecognisedWord]
) -> dict[int, list[RecognisedWord]]:
    """Assign each word to the segment it overlaps most, or else to the nearest one.

    Segments beside the floor get none: a single-voice recogniser transcribes the speaker who has the floor. A change of
    speaker close to the end of a sentence moves there.

    Returns:
        Words by index into ``segments``, each word once.
    """
    floor_indices = [index for index, segment in enumerate(segments) if not segment.overlapping]
    floor = [segments[index] for index in floor_indices]
    in_order = sorted(words, key=lambda word: (word.start_s, word.end_s))
    assigned: defaultdict[int, list[RecognisedWord]] = defaultdict(list)
    for word, owner in zip(in_order, _align_to_sentences(in_order, _closest(floor, in_order), floor), strict=True):
        assigned[floor_indices[owner]].append(word)
    return assigned


def _closest(segments: Sequence[SpeakerSegment], words: Sequence[RecognisedWord]) -> list[int]:
    """Return for each word the index of the segment it overlaps most, or else of the nearest."""
    starts = [segment.start_s for segment in segments]
    found = []
    for word in words:
        first = max(0, bisect_right(starts, word.start_s) - 1)
        last = min(len(segments), bisect_right(starts, word.end_s) + 1)

        # Overlap in seconds; the negated gap where there is none.
        def closeness(index: int, word: RecognisedWord = word) -> float:
            return min(word.end_s, segments[index].end_s) - max(word.start_s, segments[index].start_s)

        found.append(max(range(first, max(last, first + 1)), key=closeness))
    return found


def _align_to_sentences(
    words: Sequence[RecognisedWord], owners: Sequence[int], segments: Sequence[SpeakerSegment]
) -> list[int]:
    """Move changes of speaker to ends of sentences near them; owners are indices into ``segments``."""
    aligned = list(owners)
    speakers = [segments[owner].speaker for owner in owners]
    for change in range(1, len(words)):
        if speakers[change - 1] == speakers[change]:
            continue
        end = _sentence_end_near(change, words, speakers)
        for values in (aligned, speakers):
            values[end:change] = [values[change]] * (change - end)
            values[change:end] = [values[change - 1]] * (end - change)
    return aligned


def _sentence_end_near(change: int, words: Sequence[RecognisedWord], speakers: Sequence[int]) -> int:
    """Return the end of a sentence nearest to a change of speaker, or ``change`` where none is near.

    Each side keeps at least one word.

    Args:
        change: index of the first word whose speaker differs from that of the word before; so is the result.
    """

    def ends_sentence(word: int) -> bool:
        return _SENTENCE_END.search(words[word - 1].text) is not None

    def distance_s(word: int) -> float:
        return abs(_border_s(words, word) - _border_s(words, change))

    if ends_sentence(change):
        return change
    earlier = takewhile(lambda word: speakers[word - 1] == speakers[change - 1], range(change - 1, 0, -1))
    later = takewhile(lambda word: speakers[word] == speakers[change], range(change + 1, len(words)))
    nearby_words = [takewhile(lambda word: distance_s(word) <= SENTENCE_WITHIN_S, side) for side in (earlier, later)]
    return min(filter(ends_sentence, chain(*nearby_words)), key=distance_s, default=change)


def _border_s(words: Sequence[RecognisedWord], word: int) -> float:
    """Return the time half-way between a word and the one before, seconds."""
    return (words[word - 1].end_s + words[word].start_s) / 2
