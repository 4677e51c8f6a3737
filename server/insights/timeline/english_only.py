"""Measures of English words only, and reasons for their absence in other languages."""

from __future__ import annotations

from collections import Counter

from server.conversation import named_language
from server.insights.timeline.timeline import Timeline, Window

MAX_NAMED = 3


def absence(line: Timeline, window: Window, told: str) -> str | None:
    """Return why sentiment and emotions of a window are unknown; None if they are known or there are no words.

    A window without words is treated like the meeting.

    Args:
        told: start of the sentence, such as "Sentiment is".
    """
    spoken: Counter[str] = Counter()
    for sentence, weight in line.sentences_in(window):
        if sentence.polarity is not None:
            return None
        spoken[sentence.language] += weight
    here = "this meeting" if window == line.whole else "what is said here"
    if not spoken:
        if line.sentences_read or not line.sentences:
            return None
        here = "this meeting"
        for sentence, weight in line.sentences_in(line.whole):
            spoken[sentence.language] += weight
    return f"{told} read in English only; {here} is in {listed_languages(spoken)}."


def left_out(line: Timeline, told: str) -> str | None:
    """Return which languages an English-only measure leaves out; None if none. ``told`` is as in ``absence``."""
    spoken: Counter[str] = Counter()
    for sentence, weight in line.sentences_in(line.whole):
        if sentence.polarity is None:
            spoken[sentence.language] += weight
    if not spoken:
        return None
    return f"{told} read in English only; what is said in {listed_languages(spoken)} is left out."


def sentences_note(line: Timeline, told: str) -> str | None:
    """Return how many of the sentences were analysed; None if all or none were. ``told`` is as in ``absence``."""
    read, said = line.sentences_read, len(line.sentences)
    return f"{told} read in {read} of {said} sentences: those in English." if 0 < read < said else None


def listed_languages(spoken: Counter[str]) -> str:
    """List languages by name, most spoken first: ``German (de) and French (fr)``."""
    ordered = sorted(spoken, key=lambda language: (-spoken[language], language))
    names = [named_language(language) if language else "an unknown language" for language in ordered[:MAX_NAMED]]
    if len(ordered) > MAX_NAMED:
        names = [*names[:-1], "others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
