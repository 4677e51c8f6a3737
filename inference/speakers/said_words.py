"""Which words were said in which segment."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, takewhile

from inference.diarization import SpeakerSegment
from inference.models import RecognisedWord

# Where a sentence ends so close to a change of speaker, the speaker changes there, seconds: between speakers who talk
# into each other the change is told half a second early or late. Measured in docs/accuracy.md.
SENTENCE_WITHIN_S = 0.6
# Full stops of many scripts, and what may close a sentence after them.
_SENTENCE_END = re.compile("[.?!…。！？｡؟۔।॥።፧။།][\"'”’»)\\]」』]*$")


def words_by_segment(
    segments: Sequence[SpeakerSegment], words: Sequence[RecognisedWord]
) -> dict[int, list[RecognisedWord]]:
    """Each word goes to the segment (by index) it overlaps most, or else to the nearest; none is said twice.

    Who speaks beside somebody else gets none: a recogniser that hears one voice at a time writes what the one says
    who has the floor. Where the floor changes close to the end of a sentence, it changes there.
    """
    places = [place for place, segment in enumerate(segments) if not segment.beside]
    floor = [segments[place] for place in places]
    in_order = sorted(words, key=lambda word: (word.start_s, word.end_s))
    said: defaultdict[int, list[RecognisedWord]] = defaultdict(list)
    for word, owner in zip(in_order, _whole_sentences(in_order, _closest(floor, in_order), floor), strict=True):
        said[places[owner]].append(word)
    return said


def _closest(segments: Sequence[SpeakerSegment], words: Sequence[RecognisedWord]) -> list[int]:
    """The segment (by index) that each word overlaps most, or else the nearest."""
    starts = [segment.start_s for segment in segments]
    found = []
    for word in words:
        first = max(0, bisect_right(starts, word.start_s) - 1)
        last = min(len(segments), bisect_right(starts, word.end_s) + 1)

        # Overlap in seconds; without any, minus the distance.
        def closeness(index: int, word: RecognisedWord = word) -> float:
            return min(word.end_s, segments[index].end_s) - max(word.start_s, segments[index].start_s)

        found.append(max(range(first, max(last, first + 1)), key=closeness))
    return found


def _whole_sentences(
    words: Sequence[RecognisedWord], owners: Sequence[int], segments: Sequence[SpeakerSegment]
) -> list[int]:
    """The owners of words (indices into ``segments``), changes of speaker moved to the end of a sentence near them."""
    moved = list(owners)
    speakers = [segments[owner].speaker for owner in owners]
    for change in range(1, len(words)):
        if speakers[change - 1] == speakers[change]:
            continue
        end = _sentence_end_near(change, words, speakers)
        for list_ in (moved, speakers):
            list_[end:change] = [list_[change]] * (change - end)
            list_[change:end] = [list_[change - 1]] * (end - change)
    return moved


def _sentence_end_near(change: int, words: Sequence[RecognisedWord], speakers: Sequence[int]) -> int:
    """Where a sentence ends nearest to a change of speaker, which stays where none does; both keep a word at least.

    Args:
        change: the first word of another speaker than the word before it; so is what is returned.
    """

    def ends(word: int) -> bool:
        return _SENTENCE_END.search(words[word - 1].text) is not None

    def apart_s(word: int) -> float:
        return abs(_border_s(words, word) - _border_s(words, change))

    if ends(change):
        return change
    earlier = takewhile(lambda word: speakers[word - 1] == speakers[change - 1], range(change - 1, 0, -1))
    later = takewhile(lambda word: speakers[word] == speakers[change], range(change + 1, len(words)))
    near = [takewhile(lambda word: apart_s(word) <= SENTENCE_WITHIN_S, side) for side in (earlier, later)]
    return min(filter(ends, chain(*near)), key=apart_s, default=change)


def _border_s(words: Sequence[RecognisedWord], word: int) -> float:
    """Half-way between a word and the one before."""
    return (words[word - 1].end_s + words[word].start_s) / 2
