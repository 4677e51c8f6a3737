"""What keeps invented words out: texts that repeat themselves, and texts that the model itself doubts.

Speech is found before the model hears anything, so that silence and noise never reach it; what is here catches the
rest. Each guard with what it is worth: docs/accuracy.md.
"""

from __future__ import annotations

import math
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from inference.models import RecognisedWord

# A phrase of up to so many words said again and again without anything between is a loop from its second time on,
# when it comes so often. A single word may be said more often: "no, no, no".
MAX_PHRASE = 12
REPEATS_OF_PHRASE, REPEATS_OF_WORD = 3, 5
# Two thirds of the letters can be left out without loss: people do not talk so.
MAX_COMPRESSION = 2.4
# Mean log-probabilities of a text's tokens below which the model guesses: whatever it heard, and where it also thinks
# that nobody may be speaking.
LEAST_OF_ALL, MIN_OF_SILENCE, SILENCE_PROBABILITY = -1.5, -1.0, 0.4


@dataclass(frozen=True, slots=True)
class Writing:
    """What the model wrote at once, and how sure it is."""

    words: list[RecognisedWord]
    log_probability: float
    """Mean over its tokens."""
    no_speech_probability: float
    duration_s: float
    """Of the speech heard."""


def repeats_from(words: Sequence[str]) -> int:
    """How many words stand before a phrase begins to be repeated without end; all of them where none is.

    The first time it is said is kept: somebody may have said it once.
    """
    plain = [_plain(word) for word in words]
    for start in range(len(plain)):
        for length in range(1, min(MAX_PHRASE, len(plain) - start) + 1):
            phrase = plain[start : start + length]
            times = 1
            while plain[start + times * length : start + (times + 1) * length] == phrase:
                times += 1
            if times >= (REPEATS_OF_WORD if length == 1 else REPEATS_OF_PHRASE):
                return start + length
    return len(plain)


def without_repeated_end(words: Sequence[str]) -> int:
    """How many words stand before the text begins to say the same again up to its end, be it only in part.

    For a text that came to no end of its own: a model that does not hear where a piece ends begins it anew.
    """
    plain = [_plain(word) for word in words]
    kept = len(plain)
    for length in range(1, len(plain)):
        # From how far back on each word is the one ``length`` words before it.
        start = len(plain) - length
        while start > 0 and plain[start - 1] == plain[start - 1 + length]:
            start -= 1
        if start < len(plain) - length:
            kept = min(kept, start + length)
    return kept


def compression(text: str) -> float:
    """How many times shorter zlib makes a text; Whisper's own measure of repetition.

    Every letter counts as one byte, as in English: in UTF-8 a text in Hindi or Thai, three bytes a letter of which two
    are always the same, seems to repeat itself.
    """
    numbers = {letter: number % 256 for number, letter in enumerate(dict.fromkeys(text))}
    raw = bytes(numbers[letter] for letter in text)
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def is_doubted(writing: Writing) -> bool:
    """Whether the model itself thinks that it heard no speech that it could write."""
    sure = writing.log_probability
    return sure < LEAST_OF_ALL or (sure < MIN_OF_SILENCE and writing.no_speech_probability > SILENCE_PROBABILITY)


def drop_invented(writing: Writing) -> list[RecognisedWord]:
    """The words, or none where they were written to something that is no speech."""
    repeated = compression(" ".join(word.text for word in writing.words)) > MAX_COMPRESSION
    return [] if repeated or is_doubted(writing) else writing.words


def _plain(word: str) -> str:
    """Its letters and digits, with their vowel signs: without these "का" and "की" are one word."""
    return "".join(sign for sign in word.lower() if sign.isalnum() or unicodedata.category(sign).startswith("M"))


def odds(probability: float) -> float:
    """The logarithm of the odds of a probability, kept finite."""
    bounded = min(1 - 1e-4, max(1e-4, probability))
    return math.log(bounded / (1 - bounded))
