"""Words with times from what recognisers of word pieces say, and from texts without times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples

# A token lasts at most so long: what follows it may be silence.
MAX_TOKEN_S = 0.4
# Networks of several strides, and means over a piece, need some frames.
MIN_SAMPLES = SAMPLE_RATE_HZ

# Without times of its own a word's place is guessed within its piece, so that pieces are short.
MAX_SEGMENT_UNTIMED_S = 5.0


def words_of_tokens(
    tokens: Sequence[str], times_s: Sequence[float], logprobs: Sequence[float] | None, duration_s: float
) -> tuple[RecognisedWord, ...]:
    """Words from word pieces, where one that begins with a space begins a word, and from where each is first heard.

    Punctuation belongs to the word before it. A word ends where the next token begins, but at most 0.4 s after its
    own last one began; it is as sure as its least sure token.
    """
    words = []
    for first, end in _word_spans(tokens):
        # A space of its own is not where a word begins to be heard.
        start = next(place for place in range(first, end) if tokens[place].strip())
        next_s = times_s[end] if end < len(tokens) else duration_s
        start_s = min(times_s[start], duration_s)
        end_s = min(next_s, times_s[end - 1] + MAX_TOKEN_S, duration_s)
        sure = None if logprobs is None else math.exp(min(0.0, *logprobs[start:end]))
        text = "".join(token.strip() for token in tokens[first:end])
        words.append(RecognisedWord(text, start_s, max(start_s, end_s), sure))
    return tuple(words)


def _word_spans(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """First token of each word, and the one after its last; spaces at the end are left out."""
    begins = [
        place
        for place, token in enumerate(tokens)
        if place == 0 or (token[:1].isspace() and _goes_on_spoken(tokens, place))
    ]
    end = len(tokens)
    while end and not tokens[end - 1].strip():
        end -= 1
    return [span for span in pairwise([*begins, end]) if any(token.strip() for token in tokens[slice(*span)])]


def _goes_on_spoken(tokens: Sequence[str], place: int) -> bool:
    """Whether what begins at ``place`` holds a letter or digit before the next space."""
    for index in range(place, len(tokens)):
        if index > place and tokens[index][:1].isspace():
            return False
        if any(character.isalnum() for character in tokens[index]):
            return True
    return False


def words_by_letters(
    text: str, duration_s: float, confidence: Sequence[float] | None = None
) -> tuple[RecognisedWord, ...]:
    """Words of a text without times: each takes of the piece's time what it has of its letters.

    ``confidence``: of each word, 0..1.
    """
    words = text.split()
    sure = confidence if confidence is not None else [None] * len(words)
    share = duration_s / max(1, sum(len(word) + 1 for word in words))
    ends = np.cumsum([len(word) + 1 for word in words]) * share
    return tuple(
        RecognisedWord(word, float(end - (len(word) + 1) * share), min(float(end), duration_s), own)
        for word, end, own in zip(words, ends, sure, strict=True)
    )


def padded(piece: Samples) -> Samples:
    """The piece with silence after it, where it is shorter than a second."""
    samples = np.asarray(piece, np.float32)
    return np.pad(samples, (0, MIN_SAMPLES - len(samples))) if len(samples) < MIN_SAMPLES else samples
