"""Which language a conversation is in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from server.conversation.conversation import Engine, Segment

ENGLISH = "en"


def primary_tag(language: str) -> str:
    """The language alone of a BCP 47 tag, in lower case: ``en`` of ``en-GB``; empty for an empty one."""
    return language.split("-")[0].lower()


def known_language(language: str, engine: Engine) -> str:
    """A primary tag; where it is unknown, English of an engine that knows no other language, else still unknown.

    Engines that name no languages, and meetings analysed before languages were told, are English.
    """
    return language or (ENGLISH if engine.languages in ((), (ENGLISH,)) else "")


def spoken_us(segments: Iterable[Segment]) -> Counter[str]:
    """How long each language is spoken, over the segments whose words have one."""
    spoken: Counter[str] = Counter()
    for segment in segments:
        if segment.words and segment.language:
            spoken[segment.language] += segment.end_us - segment.start_us
    return spoken


def most_spoken(spoken: Counter[str]) -> str:
    """The language that most of the time is spoken, of two alike the first by name; empty where none is known."""
    return min(spoken, key=lambda language: (-spoken[language], language), default="")


def weighted_confidence(heard: Iterable[tuple[float | None, int]]) -> float | None:
    """The mean of (confidence, microseconds of speech) by speech, 0..1; None where no confidence is known."""
    known = [(confidence, us) for confidence, us in heard if confidence is not None and us > 0]
    speech_us = sum(us for _, us in known)
    return round(math.fsum(confidence * us for confidence, us in known) / speech_us, 6) if known else None
