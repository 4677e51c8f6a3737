"""Guards against invented words: repetitive texts, and texts that the model itself doubts.

Speech is detected before recognition, so that silence and noise rarely reach the model; these guards catch the rest.
The gain of each is in docs/accuracy.md.
"""

from __future__ import annotations

import math
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from inference.models import RecognisedWord

# A phrase of up to this many words, repeated this often without anything between, is a loop from its second occurrence
# on. A single word may be repeated more often: "no, no, no".
MAX_PHRASE_WORDS = 12
MIN_PHRASE_REPEATS, MIN_WORD_REPEATS = 3, 5
# More than half of such a text is redundant: people do not talk like that.
MAX_COMPRESSION = 2.4
# Mean token log-probabilities below which the model is guessing: always, and where it also reports a likely absence of
# speech.
MIN_LOG_PROBABILITY, MIN_LOG_PROBABILITY_SILENT, SILENCE_PROBABILITY = -1.5, -1.0, 0.4


@dataclass(frozen=True, slots=True)
class DecodedText:
    """Text of one decoding pass, with its confidence."""

    words: list[RecognisedWord]
    log_probability: float
    """Mean over its tokens."""
    no_speech_probability: float
    duration_s: float
    """Of the speech decoded."""


def loop_start(words: Sequence[str]) -> int:
    """Return how many words precede a loop, its first occurrence included; all of them where there is none.

    The first occurrence is kept: somebody may have said it once.
    """
    plain = [_plain(word) for word in words]
    for start in range(len(plain)):
        for length in range(1, min(MAX_PHRASE_WORDS, len(plain) - start) + 1):
            phrase = plain[start : start + length]
            times = 1
            while plain[start + times * length : start + (times + 1) * length] == phrase:
                times += 1
            if times >= (MIN_WORD_REPEATS if length == 1 else MIN_PHRASE_REPEATS):
                return start + length
    return len(plain)


def repeated_tail_start(words: Sequence[str]) -> int:
    """Return how many words precede a repetition that reaches the end, even if its last round is partial.

    For a text cut off at its maximum length: a model that misses the end of a chunk starts over.
    """
    plain = [_plain(word) for word in words]
    kept = len(plain)
    for length in range(1, len(plain)):
        # Extend backwards while each word equals the one ``length`` words before it.
        start = len(plain) - length
        while start > 0 and plain[start - 1] == plain[start - 1 + length]:
            start -= 1
        if start < len(plain) - length:
            kept = min(kept, start + length)
    return kept


def compression(text: str) -> float:
    """Return the ratio of a text's length to zlib's; Whisper's own measure of repetition.

    Every letter counts as one byte, as in English: in UTF-8, Hindi or Thai take three bytes a letter, two of them
    constant, and would look repetitive.
    """
    numbers = {letter: number % 256 for number, letter in enumerate(dict.fromkeys(text))}
    raw = bytes(numbers[letter] for letter in text)
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def is_doubtful(text: DecodedText) -> bool:
    """Return whether the model itself reports that it recognised no speech."""
    mean_log_probability = text.log_probability
    return mean_log_probability < MIN_LOG_PROBABILITY or (
        mean_log_probability < MIN_LOG_PROBABILITY_SILENT and text.no_speech_probability > SILENCE_PROBABILITY
    )


def drop_invented(text: DecodedText) -> list[RecognisedWord]:
    """Return the words, or none where they are an invention."""
    repeated = compression(" ".join(word.text for word in text.words)) > MAX_COMPRESSION
    return [] if repeated or is_doubtful(text) else text.words


def _plain(word: str) -> str:
    """Return a word's letters, digits and vowel signs: without the signs "का" and "की" would be equal."""
    return "".join(sign for sign in word.lower() if sign.isalnum() or unicodedata.category(sign).startswith("M"))


def log_odds(probability: float) -> float:
    """Return the log odds of a probability, clipped to stay finite."""
    bounded = min(1 - 1e-4, max(1e-4, probability))
    return math.log(bounded / (1 - bounded))
