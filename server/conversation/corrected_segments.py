"""The segments of a conversation after corrections: whose they are, cut where a sentence was moved, with its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from server.conversation.aligned_words import AlignedWord
from server.conversation.conversation import Acoustics, Conversation, Segment, Word
from server.conversation.sentence_words import WordPlace, find_sentence_words


class _Piece(NamedTuple):
    """Consecutive words of a segment that one speaker said."""

    speaker: int
    words: tuple[Word, ...]


def corrected_segments(
    conversation: Conversation,
    speakers: Mapping[int, int],
    moved: Mapping[int, int],
    reworded: Mapping[int, Sequence[AlignedWord]],
) -> tuple[Segment, ...]:
    """Return the segments in time order. Pieces of a segment that was cut have its id.

    Args:
        speakers: whose each segment is, by its id.
        moved: whose sentences are that were moved, by their index.
        reworded: the words of sentences whose text was corrected, by their index.
    """
    if not moved and not reworded:
        return tuple(replace(s, speaker=speakers[s.segment_id]) for s in conversation.segments)
    places = find_sentence_words(conversation)
    sentence_of = {place: index for index in {*moved, *reworded} for place in places[index]}
    touched = {place.segment for place in sentence_of}
    found: list[Segment] = []
    for number, segment in enumerate(conversation.segments):
        speaker = speakers[segment.segment_id]
        if number not in touched:
            found.append(replace(segment, speaker=speaker))
            continue
        said = _said(number, segment, sentence_of, places, reworded)
        shown = [(moved.get(index, speaker) if index is not None else speaker, words) for index, words in said]
        pieces = [
            _Piece(who, tuple(word for _, words in run for word in words)) for who, run in groupby(shown, itemgetter(0))
        ]
        found += _cut(segment, pieces)
    return tuple(sorted(found, key=lambda s: (s.start_us, s.end_us, s.segment_id)))


def _said(
    number: int,
    segment: Segment,
    sentence_of: Mapping[WordPlace, int],
    places: Sequence[Sequence[WordPlace]],
    reworded: Mapping[int, Sequence[AlignedWord]],
) -> Iterator[tuple[int | None, tuple[Word, ...]]]:
    """Yield the words of a segment by corrected sentence; None: of one that was not corrected."""
    owners = [sentence_of.get(WordPlace(number, index)) for index in range(len(segment.words))]
    for index, run in groupby(zip(owners, segment.words, strict=True), key=itemgetter(0)):
        if index is not None and index in reworded:
            yield index, tuple(one.word for one in reworded[index] if places[index][one.origin].segment == number)
        else:
            yield index, tuple(word for _, word in run)


def _cut(segment: Segment, pieces: Sequence[_Piece]) -> Iterator[Segment]:
    """Yield a segment in pieces, cut in the middle of the pauses between their words."""
    pieces = [piece for piece in pieces if piece.words] or pieces[:1]
    cuts = [segment.start_us]
    for before, after in pairwise(pieces):
        middle_us = (before.words[-1].end_us + after.words[0].start_us) // 2
        cuts.append(min(segment.end_us, max(cuts[-1], middle_us)))
    cuts.append(segment.end_us)
    longest = max(range(len(pieces)), key=lambda index: cuts[index + 1] - cuts[index])
    for index, piece in enumerate(pieces):
        start_us, end_us = cuts[index], cuts[index + 1]
        share = (end_us - start_us) / max(1, segment.end_us - segment.start_us)
        yield replace(
            segment,
            speaker=piece.speaker,
            start_us=start_us,
            end_us=end_us,
            words=piece.words,
            acoustics=segment.acoustics
            if len(pieces) == 1
            else _part(segment.acoustics, share, counts=index == longest),
        )


def _part(measured: Acoustics | None, share: float, *, counts: bool) -> Acoustics | None:
    """Return the measurements of a part of a segment: its levels, and its share of what was counted.

    Args:
        share: the part's share of the segment's time.
        counts: whether the part has the decays and gaps, of which only the segment is known to have them.
    """
    if measured is None:
        return None
    return replace(
        measured,
        voiced_seconds=measured.voiced_seconds * share,
        decays_db_per_s=measured.decays_db_per_s if counts else (),
        gaps=measured.gaps if counts else 0,
        gap_seconds=measured.gap_seconds if counts else 0.0,
    )
