"""The words of a corrected sentence, with times and confidences from the recognised words that they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from server.conversation.conversation import Word
from server.conversation.redaction_kinds import PLACEHOLDER
from server.conversation.writing import COMBINING_MARKS, UNSPACED_SCRIPTS, uses_spaces

# Cells of the comparison of two sentences, beyond which what differs is taken as replaced as a whole: 500 words by 500.
MAX_CELLS = 250_000
_UNSPACED_TOKEN = re.compile(
    rf"{PLACEHOLDER.pattern}|[^\W{UNSPACED_SCRIPTS}]+[^\w\s]*|\S[{COMBINING_MARKS}]*[^\w\s\[]*"
)
_MARKS = '.,?!;:…。、，？！；：،؛؟।"“”„«»()'


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word of a corrected sentence."""

    word: Word
    """Its confidence is None unless it was recognised so."""
    origin: int
    """Index of the recognised word that it stands for, or stands beside."""


def align_words(words: Sequence[Word], text: str, language: str, *, punctuated: bool) -> tuple[AlignedWord, ...]:
    """Return the words of a corrected text.

    Words that were recognised so keep their times and confidences. Others share the time of those that they replace,
    by their lengths; ones put in between get the pause there, if there is one.

    Args:
        words: the recognised words of the sentence, in time order; without any there is nothing to align to.
        text: what the sentence reads now.
        language: BCP 47 primary tag; empty if unknown.
        punctuated: whether the recogniser punctuates this language; else words carry no marks.
    """
    if not words:
        return ()
    spaced = uses_spaces(language)
    old = [AlignedWord(word, index) for index, word in enumerate(words)]
    if not spaced:
        old = [part for one in old for part in _characters(one)] or old
    tokens = text.split() if spaced else _UNSPACED_TOKEN.findall(text)
    if not punctuated:
        tokens = [bare for token in tokens if (bare := token if PLACEHOLDER.search(token) else token.strip(_MARKS))]
    aligned: list[AlignedWord] = []
    for (first, last), (begin, end) in _blocks([_key(o.word.text) for o in old], [_key(t) for t in tokens]):
        if last - first == end - begin == 1 and _key(old[first].word.text) == _key(tokens[begin]):
            kept = old[first]
            # Its sentence has the capitals and marks that the recogniser does not write.
            aligned.append(replace(kept, word=replace(kept.word, text=tokens[begin])) if punctuated else kept)
        else:
            aligned += _spread(tokens[begin:end], old, first, last)
    return tuple(aligned)


def _key(text: str) -> str:
    folded = text.casefold()
    return folded.strip(_MARKS) or folded


def _characters(one: AlignedWord) -> Iterator[AlignedWord]:
    """Yield a word's characters, or Latin words, with shares of its time."""
    parts = _UNSPACED_TOKEN.findall(one.word.text)
    for text, start_us, end_us in _shares(parts, one.word.start_us, one.word.end_us):
        yield AlignedWord(Word(text, start_us, end_us, one.word.confidence), one.origin)


def _shares(texts: Sequence[str], start_us: int, end_us: int) -> Iterator[tuple[str, int, int]]:
    """Yield texts with shares of a span, by their lengths."""
    total, done = sum(map(len, texts)), 0
    for text in texts:
        begin = start_us + (end_us - start_us) * done // total
        done += len(text)
        yield text, begin, start_us + (end_us - start_us) * done // total


def _spread(tokens: Sequence[str], old: Sequence[AlignedWord], first: int, last: int) -> Iterator[AlignedWord]:
    """Yield new words in place of the recognised ones ``first`` to ``last`` (exclusive), of which there may be none."""
    if first < last:
        start_us, end_us = old[first].word.start_us, max(one.word.end_us for one in old[first:last])
        origin = old[first].origin
    else:
        start_us = old[first - 1].word.end_us if first else old[0].word.start_us
        end_us = max(start_us, old[first].word.start_us if first < len(old) else start_us)
        origin = old[max(0, first - 1)].origin
    for text, begin_us, stop_us in _shares(tokens, start_us, end_us):
        yield AlignedWord(Word(text, begin_us, stop_us, None), origin)


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield what corresponds, in order, as spans of both: equal words one by one, and what differs between them."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        yield (start, start + 1), (start, start + 1)
        start += 1
    tail = 0
    while tail < min(len(old), len(new)) - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    rows, columns = old[start : len(old) - tail], new[start : len(new) - tail]
    a = b = 0
    for row, column in _longest_common(rows, columns):
        if row > a or column > b:
            yield (start + a, start + row), (start + b, start + column)
        yield (start + row, start + row + 1), (start + column, start + column + 1)
        a, b = row + 1, column + 1
    if a < len(rows) or b < len(columns):
        yield (start + a, start + len(rows)), (start + b, start + len(columns))
    for back in range(tail, 0, -1):
        yield (len(old) - back, len(old) - back + 1), (len(new) - back, len(new) - back + 1)


def _longest_common(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of a longest common subsequence; none where the comparison would take too long."""
    if len(old) * len(new) > MAX_CELLS:
        return []
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if old[i] == new[j] else max(lengths[i + 1][j], lengths[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs
