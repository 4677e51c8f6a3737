"""Sentences from words, spelled with capitals and punctuation whatever the recogniser gives.

A recogniser that punctuates is believed. From bare words, sentences are cut at pauses, and at
shorter pauses before words that begin sentences; each then gets a capital and a full stop, or
a question mark when its form asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from server.conversation.conversation import Conversation, Segment, Sentence, Word
from server.conversation.given_names import given_names
from server.conversation.question_form import LEAST_WORDS_BEFORE, is_question, question_starts

# Bare words: a pause of the first kind ends a sentence, one of the second before a starter does,
# unless the word before it cannot be a last one.
PAUSE_US, STARTER_PAUSE_US, UNFINISHED_PAUSE_US = 500_000, 200_000, 1_500_000
LEAST_WORDS_BEFORE_STARTER = 4
LONGEST_WORDS = 40
# A recogniser punctuates when at least so many of its words end in a mark.
PUNCTUATED_SHARE = 0.02
_STARTERS = frozenset(
    """
        so and but okay well now then i i'm i'll i've i'd we we're we'll you he she it it's they that's
        there there's what how why when where who yes yeah no thanks thank let's alright right if also
        because maybe please
    """.split()
)
_CANNOT_END = frozenset(
    """
        a an the of to in on at for with from by and or but so if because that which who is are was were be
        am have has had do does did will would can could should my your our their his her its very really
        more most than as into about i'm we're you're they're it's i we they he she this these those not no
    """.split()
)
_ABBREVIATION = re.compile(r"^(?:mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|e\.g|i\.e|inc|ltd|co|no|[a-z])\.$", re.IGNORECASE)
_END = re.compile(r"[.?!…]+[\"'”’)]*$")
_CAPITALISED = frozenset(
    """
        monday tuesday wednesday thursday friday saturday sunday january february april june july august
        september october november december english german french spanish italian american british european
        christmas easter
    """.split()
)
_FIRST_PERSON = re.compile(r"^i(?=$|['’](?:m|ll|ve|d|s|re)$)")


class _Said(NamedTuple):
    word: Word
    segment_id: int


def sentences_of(conversation: Conversation) -> tuple[Sentence, ...]:
    """The sentences of a conversation, in the order of time, not read by any model yet.

    Segments of one speaker that follow one another are read as one statement. Words of an
    unknown speaker make sentences of UNKNOWN_SPEAKER.
    """
    spoken = [segment for segment in conversation.segments if segment.words]
    punctuated = _punctuates(spoken)
    found = []
    for speaker, run in groupby(spoken, key=lambda segment: segment.speaker):
        said = [_Said(word, segment.segment_id) for segment in run for word in segment.words]
        for piece in _cut_at_marks(said) if punctuated else _cut_at_pauses(said):
            found.append(_sentence(piece, speaker, punctuated))
    return tuple(sorted(found, key=lambda sentence: (sentence.start_us, sentence.end_us, sentence.speaker)))


def _punctuates(segments: Sequence[Segment]) -> bool:
    words = [word.text for segment in segments for word in segment.words]
    return bool(words) and sum(bool(_END.search(text)) for text in words) >= PUNCTUATED_SHARE * len(words)


def _cut_at_marks(said: Sequence[_Said]) -> Iterator[list[_Said]]:
    piece: list[_Said] = []
    for item in said:
        piece.append(item)
        if _END.search(item.word.text) and not _ABBREVIATION.match(item.word.text):
            yield piece
            piece = []
    if piece:
        yield piece


def _cut_at_pauses(said: Sequence[_Said]) -> Iterator[list[_Said]]:
    piece: list[_Said] = []
    asking = question_starts([item.word.text for item in said])
    for place, item in enumerate(said):
        if piece and (_ends_before(piece, item.word) or (place in asking and len(piece) >= LEAST_WORDS_BEFORE)):
            yield piece
            piece = []
        piece.append(item)
        if len(piece) > LONGEST_WORDS:
            cut = _longest_pause(piece)
            yield piece[:cut]
            piece = piece[cut:]
    if piece:
        yield piece


def _ends_before(piece: Sequence[_Said], following: Word) -> bool:
    last = piece[-1].word
    pause = following.start_us - last.end_us
    if last.text.lower() in _CANNOT_END:
        return pause >= UNFINISHED_PAUSE_US
    if pause >= PAUSE_US:
        return True
    begins = following.text.lower() in _STARTERS
    return begins and pause >= STARTER_PAUSE_US and len(piece) >= LEAST_WORDS_BEFORE_STARTER


def _longest_pause(piece: Sequence[_Said]) -> int:
    """Where to cut a piece that grew too long: after its longest pause, not near its ends."""
    margin = min(5, len(piece) // 3)
    places = range(margin, len(piece) - margin)
    return max(places, key=lambda i: (piece[i].word.start_us - piece[i - 1].word.end_us, i))


def _sentence(piece: Sequence[_Said], speaker: int, punctuated: bool) -> Sentence:
    text = " ".join(item.word.text for item in piece)
    asks = is_question(text, punctuated=punctuated)
    return Sentence(
        segment_id=piece[0].segment_id,
        speaker=speaker,
        start_us=piece[0].word.start_us,
        end_us=max(item.word.end_us for item in piece),
        text=text if punctuated else spelled(text, asks=asks),
        asks=asks,
    )


def spelled(text: str, *, asks: bool) -> str:
    """Bare words as a sentence: capitals where English wants them, and a mark at the end."""
    names = given_names()
    words = []
    for word in text.split():
        shown = _FIRST_PERSON.sub("I", word)
        stem = shown.split("'")[0].lower()
        words.append(shown[:1].upper() + shown[1:] if stem in _CAPITALISED or stem in names else shown)
    if not words:
        return ""
    words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words) + ("" if _END.search(words[-1]) else "?" if asks else ".")
