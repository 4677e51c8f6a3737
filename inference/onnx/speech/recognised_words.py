"""Words with times, from recognisers' tokens, and from texts without times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples

# Maximum duration of a token, seconds: what follows it may be silence.
MAX_TOKEN_S = 0.4
# Strided networks, and means over a chunk, need some frames.
MIN_SAMPLES = SAMPLE_RATE_HZ

# Without word times, times are estimated within a chunk, so chunks are short.
MAX_CHUNK_UNTIMED_S = 5.0


def tokens_to_words(
    tokens: Sequence[str], times_s: Sequence[float], logprobs: Sequence[float] | None, duration_s: float
) -> tuple[RecognisedWord, ...]:
    """Join tokens into words; a token that begins with a space begins a word.

    Punctuation belongs to the word before it. A word ends where the next token begins, but at most 0.4 s after the
    start of its last token; its confidence is that of its least probable token.

    Args:
        tokens: pieces of text.
        times_s: start of each token, seconds.
        logprobs: of each token; None: words have no confidence.
        duration_s: of the audio, seconds.
    """
    words = []
    for first, end in _word_spans(tokens):
        # A token of only a space is not the start of the spoken word.
        start = next(index for index in range(first, end) if tokens[index].strip())
        next_s = times_s[end] if end < len(tokens) else duration_s
        start_s = min(times_s[start], duration_s)
        end_s = min(next_s, times_s[end - 1] + MAX_TOKEN_S, duration_s)
        confidence = None if logprobs is None else math.exp(min(0.0, *logprobs[start:end]))
        text = "".join(token.strip() for token in tokens[first:end])
        words.append(RecognisedWord(text, start_s, max(start_s, end_s), confidence))
    return tuple(words)


def _word_spans(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first token of each word and the one after its last; trailing spaces are left out."""
    begins = [
        index
        for index, token in enumerate(tokens)
        if index == 0 or (token[:1].isspace() and _has_letters_before_space(tokens, index))
    ]
    end = len(tokens)
    while end and not tokens[end - 1].strip():
        end -= 1
    return [span for span in pairwise([*begins, end]) if any(token.strip() for token in tokens[slice(*span)])]


def _has_letters_before_space(tokens: Sequence[str], start: int) -> bool:
    """Return whether a letter or digit follows at ``start`` before the next space."""
    for index in range(start, len(tokens)):
        if index > start and tokens[index][:1].isspace():
            return False
        if any(character.isalnum() for character in tokens[index]):
            return True
    return False


def words_by_letters(
    text: str, duration_s: float, confidence: Sequence[float] | None = None
) -> tuple[RecognisedWord, ...]:
    """Split a text without times into words; each takes its share of the time by its letters.

    Args:
        text: of the chunk.
        duration_s: of the chunk, seconds.
        confidence: of each word, 0..1.
    """
    words = text.split()
    confidences = confidence if confidence is not None else [None] * len(words)
    share = duration_s / max(1, sum(len(word) + 1 for word in words))
    ends = np.cumsum([len(word) + 1 for word in words]) * share
    return tuple(
        RecognisedWord(word, float(end - (len(word) + 1) * share), min(float(end), duration_s), own)
        for word, end, own in zip(words, ends, confidences, strict=True)
    )


def padded(chunk: Samples) -> Samples:
    """Pad a chunk, shape (n,), with silence to at least a second."""
    samples = np.asarray(chunk, np.float32)
    return np.pad(samples, (0, MIN_SAMPLES - len(samples))) if len(samples) < MIN_SAMPLES else samples
