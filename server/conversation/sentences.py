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
from server.conversation.languages import ENGLISH, resolve_language
from server.conversation.question_form import MIN_WORDS_BEFORE, find_question_starts, is_question
from server.conversation.writing import ends_sentence, join_words, uses_spaces

# For unpunctuated words: a pause of PAUSE_US ends a sentence; STARTER_PAUSE_US suffices before a sentence starter;
# after a word that cannot end a sentence, UNFINISHED_PAUSE_US is needed.
PAUSE_US, STARTER_PAUSE_US, UNFINISHED_PAUSE_US = 500_000, 200_000, 1_500_000
MIN_WORDS_BEFORE_STARTER = 4
MAX_WORDS = 40
# Maximum lengths of sentences where words are characters or subwords (languages without spaces), and of punctuated
# sentences in languages that do not always write end marks.
MAX_SUBWORDS, MAX_PUNCTUATED = 80, 120
# Share of words ending in a sentence mark from which a recogniser counts as punctuating; lower for subwords.
PUNCTUATED_SHARE, PUNCTUATED_SHARE_OF_SUBWORDS = 0.02, 0.008
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


class _SpokenWord(NamedTuple):
    word: Word
    segment_id: int


def split_sentences(conversation: Conversation) -> tuple[Sentence, ...]:
    """Split a conversation into sentences, in time order, not yet analysed by a model.

    Consecutive segments of one speaker and language are joined first. Words of an unknown speaker form sentences of
    UNKNOWN_SPEAKER.
    """
    spoken = [
        (segment.speaker, resolve_language(segment.language, conversation.engine), segment)
        for segment in conversation.segments
        if segment.words
    ]
    punctuated = find_punctuated_languages(conversation)
    found = []
    for (speaker, language), run in groupby(spoken, key=itemgetter(0, 1)):
        words = [_SpokenWord(word, segment.segment_id) for _, _, segment in run for word in segment.words]
        for span in _split(words, language, punctuated=language in punctuated):
            found.append(_sentence(span, speaker, language, punctuated=language in punctuated))
    return tuple(sorted(found, key=lambda sentence: (sentence.start_us, sentence.end_us, sentence.speaker)))


def find_punctuated_languages(conversation: Conversation) -> frozenset[str]:
    """Return the languages that the recogniser punctuates."""
    words: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for segment in conversation.segments:
        language = resolve_language(segment.language, conversation.engine)
        words[language] += len(segment.words)
        marked[language] += sum(ends_sentence(word.text, language) for word in segment.words)
    return frozenset(
        language
        for language, count in words.items()
        if count
        and marked[language] >= (PUNCTUATED_SHARE if uses_spaces(language) else PUNCTUATED_SHARE_OF_SUBWORDS) * count
    )


def _split(words: Sequence[_SpokenWord], language: str, *, punctuated: bool) -> Iterator[list[_SpokenWord]]:
    if language == ENGLISH:
        yield from _split_at_marks(words, language) if punctuated else _split_english(words)
    elif punctuated:
        for span in _split_at_marks(words, language):
            yield from _limit_length(span, MAX_PUNCTUATED)
    else:
        for span in _split_at_pauses(words):
            yield from _limit_length(span, MAX_WORDS if uses_spaces(language) else MAX_SUBWORDS)


def _split_at_marks(words: Sequence[_SpokenWord], language: str) -> Iterator[list[_SpokenWord]]:
    span: list[_SpokenWord] = []
    for item, following in zip_longest(words, words[1:]):
        span.append(item)
        pause_us = following.word.start_us - item.word.end_us if following else PAUSE_US
        if ends_sentence(item.word.text, language) and not _belongs_to_word(item.word.text, language, pause_us):
            yield span
            span = []
    if span:
        yield span


def _belongs_to_word(text: str, language: str, pause_us: int) -> bool:
    """Return whether the mark at the end of a word belongs to the word instead of the sentence."""
    if language == ENGLISH:
        return bool(_ABBREVIATION.match(text))
    if language in _DOTTED_ORDINALS and _ORDINAL.match(text):
        return pause_us < PAUSE_US
    return bool(_ABBREVIATION_ELSEWHERE.match(text))


def _split_at_pauses(words: Sequence[_SpokenWord]) -> Iterator[list[_SpokenWord]]:
    span: list[_SpokenWord] = []
    for item in words:
        if span and item.word.start_us - span[-1].word.end_us >= PAUSE_US:
            yield span
            span = []
        span.append(item)
    if span:
        yield span


def _limit_length(span: list[_SpokenWord], max_words: int) -> Iterator[list[_SpokenWord]]:
    while len(span) > max_words:
        cut = _find_longest_pause(span[: max_words + 1])
        yield span[:cut]
        span = span[cut:]
    yield span


def _split_english(words: Sequence[_SpokenWord]) -> Iterator[list[_SpokenWord]]:
    span: list[_SpokenWord] = []
    question_starts = find_question_starts([item.word.text for item in words])
    for index, item in enumerate(words):
        if span and (_ends_before(span, item.word) or (index in question_starts and len(span) >= MIN_WORDS_BEFORE)):
            yield span
            span = []
        span.append(item)
        if len(span) > MAX_WORDS:
            cut = _find_longest_pause(span)
            yield span[:cut]
            span = span[cut:]
    if span:
        yield span


def _ends_before(span: Sequence[_SpokenWord], following: Word) -> bool:
    last = span[-1].word
    pause = following.start_us - last.end_us
    if last.text.lower() in _CANNOT_END:
        return pause >= UNFINISHED_PAUSE_US
    if pause >= PAUSE_US:
        return True
    begins = following.text.lower() in _STARTERS
    return begins and pause >= STARTER_PAUSE_US and len(span) >= MIN_WORDS_BEFORE_STARTER


def _find_longest_pause(span: Sequence[_SpokenWord]) -> int:
    """Return the index at which to split an overlong chunk: after its longest pause, away from its ends."""
    margin = min(5, len(span) // 3)
    cuts = range(margin, len(span) - margin)
    return max(cuts, key=lambda i: (span[i].word.start_us - span[i - 1].word.end_us, i))


def _sentence(span: Sequence[_SpokenWord], speaker: int, language: str, *, punctuated: bool) -> Sentence:
    text = join_words((item.word.text for item in span), language)
    asks = is_question(text, language, punctuated=punctuated)
    return Sentence(
        segment_id=span[0].segment_id,
        speaker=speaker,
        start_us=span[0].word.start_us,
        end_us=max(item.word.end_us for item in span),
        text=text if punctuated or language != ENGLISH else format_sentence(text, asks=asks),
        asks=asks,
        language=language,
    )


def format_sentence(text: str, *, asks: bool) -> str:
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
    return " ".join(words) + ("" if ends_sentence(words[-1], ENGLISH) else "?" if asks else ".")
