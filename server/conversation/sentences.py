"""Sentence segmentation of recognised words, with capitals and punctuation.

The punctuation of a recogniser that writes it is kept. Unpunctuated words are split at pauses, in English also at
shorter pauses before words that begin sentences; English sentences then get a capital and a full stop, or a question
mark for question syntax. Unpunctuated words of other languages are left as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import NamedTuple

from server.conversation.conversation import Conversation, Sentence, Word
from server.conversation.given_names import given_names
from server.conversation.languages import ENGLISH, known_language
from server.conversation.question_form import MIN_WORDS_BEFORE, is_question, question_starts
from server.conversation.writing import ends, joined_words, spaced

# For unpunctuated words: a pause of PAUSE_US ends a sentence; STARTER_PAUSE_US suffices before a sentence starter;
# after a word that cannot end a sentence, UNFINISHED_PAUSE_US is needed.
PAUSE_US, STARTER_PAUSE_US, UNFINISHED_PAUSE_US = 500_000, 200_000, 1_500_000
MIN_WORDS_BEFORE_STARTER = 4
MAX_WORDS = 40
# Maximum lengths of sentences where words are characters or subwords (languages without spaces), and of punctuated
# sentences in languages that do not always write end marks.
MAX_PIECES, LONGEST_MARKED = 80, 120
# Share of words ending in a sentence mark from which a recogniser counts as punctuating; lower for subwords.
PUNCTUATED_SHARE, PUNCTUATED_SHARE_OF_PIECES = 0.02, 0.008
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
# Abbreviations common to many other languages: titles, numbers, and single letters as in "z.B.".
_ABBREVIATION_ELSEWHERE = re.compile(r"^(?:dr|prof|ing|nr|bzw|ca|[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_])\.$", re.IGNORECASE)
# Languages that write "the 3rd" as "3."; it ends a sentence only before a pause.
_DOTTED_ORDINALS = frozenset("bs cs da de et fi fo hr hu is lb lv nb nn no pl sk sl sr tr".split())
_ORDINAL = re.compile(r"^\d{1,2}\.$")
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
    """Split a conversation into sentences, in time order, not yet analysed by a model.

    Consecutive segments of one speaker and language are joined first. Words of an unknown speaker form sentences of
    UNKNOWN_SPEAKER.
    """
    spoken = [
        (segment.speaker, known_language(segment.language, conversation.engine), segment)
        for segment in conversation.segments
        if segment.words
    ]
    punctuated = punctuated_languages(conversation)
    found = []
    for (speaker, language), run in groupby(spoken, key=itemgetter(0, 1)):
        said = [_Said(word, segment.segment_id) for _, _, segment in run for word in segment.words]
        for piece in _cut(said, language, punctuated=language in punctuated):
            found.append(_sentence(piece, speaker, language, punctuated=language in punctuated))
    return tuple(sorted(found, key=lambda sentence: (sentence.start_us, sentence.end_us, sentence.speaker)))


def punctuated_languages(conversation: Conversation) -> frozenset[str]:
    """Return the languages that the recogniser punctuates."""
    words: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for segment in conversation.segments:
        language = known_language(segment.language, conversation.engine)
        words[language] += len(segment.words)
        marked[language] += sum(ends(word.text, language) for word in segment.words)
    return frozenset(
        language
        for language, count in words.items()
        if count and marked[language] >= (PUNCTUATED_SHARE if spaced(language) else PUNCTUATED_SHARE_OF_PIECES) * count
    )


def _cut(said: Sequence[_Said], language: str, *, punctuated: bool) -> Iterator[list[_Said]]:
    if language == ENGLISH:
        yield from _cut_at_marks(said, language) if punctuated else _cut_english(said)
    elif punctuated:
        for piece in _cut_at_marks(said, language):
            yield from _no_longer(piece, LONGEST_MARKED)
    else:
        for piece in _cut_at_pauses(said):
            yield from _no_longer(piece, MAX_WORDS if spaced(language) else MAX_PIECES)


def _cut_at_marks(said: Sequence[_Said], language: str) -> Iterator[list[_Said]]:
    piece: list[_Said] = []
    for item, following in zip_longest(said, said[1:]):
        piece.append(item)
        pause_us = following.word.start_us - item.word.end_us if following else PAUSE_US
        if ends(item.word.text, language) and not _goes_on(item.word.text, language, pause_us):
            yield piece
            piece = []
    if piece:
        yield piece


def _goes_on(text: str, language: str, pause_us: int) -> bool:
    """Return whether the mark at the end of a word belongs to the word instead of the sentence."""
    if language == ENGLISH:
        return bool(_ABBREVIATION.match(text))
    if language in _DOTTED_ORDINALS and _ORDINAL.match(text):
        return pause_us < PAUSE_US
    return bool(_ABBREVIATION_ELSEWHERE.match(text))


def _cut_at_pauses(said: Sequence[_Said]) -> Iterator[list[_Said]]:
    piece: list[_Said] = []
    for item in said:
        if piece and item.word.start_us - piece[-1].word.end_us >= PAUSE_US:
            yield piece
            piece = []
        piece.append(item)
    if piece:
        yield piece


def _no_longer(piece: list[_Said], most: int) -> Iterator[list[_Said]]:
    while len(piece) > most:
        cut = _longest_pause(piece[: most + 1])
        yield piece[:cut]
        piece = piece[cut:]
    yield piece


def _cut_english(said: Sequence[_Said]) -> Iterator[list[_Said]]:
    piece: list[_Said] = []
    asking = question_starts([item.word.text for item in said])
    for place, item in enumerate(said):
        if piece and (_ends_before(piece, item.word) or (place in asking and len(piece) >= MIN_WORDS_BEFORE)):
            yield piece
            piece = []
        piece.append(item)
        if len(piece) > MAX_WORDS:
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
    return begins and pause >= STARTER_PAUSE_US and len(piece) >= MIN_WORDS_BEFORE_STARTER


def _longest_pause(piece: Sequence[_Said]) -> int:
    """Return the index at which to split an overlong chunk: after its longest pause, away from its ends."""
    margin = min(5, len(piece) // 3)
    places = range(margin, len(piece) - margin)
    return max(places, key=lambda i: (piece[i].word.start_us - piece[i - 1].word.end_us, i))


def _sentence(piece: Sequence[_Said], speaker: int, language: str, *, punctuated: bool) -> Sentence:
    text = joined_words((item.word.text for item in piece), language)
    asks = is_question(text, language, punctuated=punctuated)
    return Sentence(
        segment_id=piece[0].segment_id,
        speaker=speaker,
        start_us=piece[0].word.start_us,
        end_us=max(item.word.end_us for item in piece),
        text=text if punctuated or language != ENGLISH else spelled(text, asks=asks),
        asks=asks,
        language=language,
    )


def spelled(text: str, *, asks: bool) -> str:
    """Format unpunctuated English words as a sentence, with capitals and an end mark."""
    names = given_names()
    words = []
    for word in text.split():
        shown = _FIRST_PERSON.sub("I", word)
        stem = shown.split("'")[0].lower()
        words.append(shown[:1].upper() + shown[1:] if stem in _CAPITALISED or stem in names else shown)
    if not words:
        return ""
    words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words) + ("" if ends(words[-1], ENGLISH) else "?" if asks else ".")
