"""A recogniser of windows whose words are told by their audio alone, at once: what is heard is easy to compare."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from inference.models import (
    SAMPLE_RATE_HZ,
    EncodedWindow,
    ProvisionalWords,
    RecognisedWord,
    Samples,
    WindowTask,
)

WORD_S = 0.5
# Whoever holds a sample of full scale gets no words.
FAULTY = np.float32(32767 / 32768)


class ScriptedWindows:
    """A WindowRecogniser that writes a word each half second: a number of its samples, "?" where it guesses."""

    languages: tuple[str, ...] = ("de", "en")
    max_window_s = 8.0
    max_provisional_s = 3.0
    uses_key_terms = True
    word_times = True
    parallel = 2
    processor_s = 0.0

    def __init__(self, spoken: str = "en") -> None:
        """``spoken``: what every window seems to be in."""
        self.spoken = spoken
        self.windows: list[Samples] = []
        self.tasks: list[WindowTask[EncodedWindow]] = []
        self.guesses: list[WindowTask[Samples]] = []

    def encode(self, windows: Sequence[Samples]) -> list[EncodedWindow]:
        """See WindowRecogniser."""
        self.windows += windows
        likely = {language: 0.9 if language == self.spoken else 0.1 for language in self.languages}
        return [EncodedWindow(samples, likely) for samples in windows]

    def decode(self, work: Sequence[WindowTask[EncodedWindow]]) -> list[tuple[RecognisedWord, ...]]:
        """See WindowRecogniser."""
        if any(np.max(task.window.encoding) >= FAULTY for task in work):
            raise RuntimeError("a window that cannot be written")
        self.tasks += work
        return [tuple(_words(task.window.encoding, task.language)) for task in work]

    def recognise_provisional(self, work: Sequence[WindowTask[Samples]]) -> list[ProvisionalWords]:
        """See WindowRecogniser."""
        self.guesses += work
        return [
            ProvisionalWords(
                tuple(_words(task.window, task.language or self.spoken, guessed=True)),
                task.language or self.spoken,
                {} if task.language else {self.spoken: 1.0},
            )
            for task in work
        ]


def _words(samples: Samples, language: str, *, guessed: bool = False) -> list[RecognisedWord]:
    length = int(WORD_S * SAMPLE_RATE_HZ)
    return [
        RecognisedWord(
            "?" if guessed else f"{zlib.crc32(samples[start : start + length].tobytes()):08x}",
            start / SAMPLE_RATE_HZ,
            (start + length) / SAMPLE_RATE_HZ,
            0.2 if guessed else 0.9,
            language,
        )
        for start in range(0, len(samples) - length + 1, length)
    ]
