"""The languages of a conversation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from server.conversation.conversation import EngineCapabilities, Segment

ENGLISH = "en"


def primary_tag(language: str) -> str:
    """Return the primary subtag of a BCP 47 tag in lower case: ``en`` for ``en-GB``; empty for an empty tag."""
    return language.split("-")[0].lower()


def resolve_language(language: str, engine: EngineCapabilities) -> str:
    """Return ``language``; if empty, English for an engine that is English-only, otherwise empty.

    An engine without a language list, as in meetings analysed by early versions, counts as English-only.
    """
    return language or (ENGLISH if engine.languages in ((), (ENGLISH,)) else "")


def speech_us_by_language(segments: Iterable[Segment]) -> Counter[str]:
    """Return the speaking time per language, microseconds, over segments with words of a known language."""
    spoken: Counter[str] = Counter()
    for segment in segments:
        if segment.words and segment.language:
            spoken[segment.language] += segment.end_us - segment.start_us
    return spoken


def most_spoken_language(spoken: Counter[str]) -> str:
    """Return the language with the most speaking time, ties by name; empty if none is known."""
    return min(spoken, key=lambda language: (-spoken[language], language), default="")


def weighted_confidence(measured: Iterable[tuple[float | None, int]]) -> float | None:
    """Return the mean of (confidence, microseconds of speech) weighted by speech, 0..1; None without confidences."""
    known = [(confidence, us) for confidence, us in measured if confidence is not None and us > 0]
    speech_us = sum(us for _, us in known)
    return round(math.fsum(confidence * us for confidence, us in known) / speech_us, 6) if known else None
