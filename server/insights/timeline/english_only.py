"""Measures of English words only, and reasons for their absence in other languages."""

from __future__ import annotations

from collections import Counter

from server.conversation import language_display_name
from server.insights.timeline.timeline import Timeline, Window

MAX_NAMED = 3


def absence_reason(timeline: Timeline, window: Window, subject: str) -> str | None:
    """Return why sentiment and emotions of a window are unknown; None if they are known or there are no words.

    A window without words is treated like the meeting.

    Args:
        subject: start of the sentence, such as "Sentiment is".
    """
    spoken: Counter[str] = Counter()
    for sentence, weight in timeline.sentences_in(window):
        if sentence.polarity is not None:
            return None
        spoken[sentence.language] += weight
    scope = "this meeting" if window == timeline.full_window else "this part of it"
    if not spoken:
        if timeline.analysed_sentences or not timeline.sentences:
            return None
        scope = "this meeting"
        for sentence, weight in timeline.sentences_in(timeline.full_window):
            spoken[sentence.language] += weight
    return f"{subject} measured in English only; {scope} is in {format_languages(spoken)}."


def left_out_languages_note(timeline: Timeline, subject: str) -> str | None:
    """Return which languages an English-only measure leaves out; None if none.

    ``subject`` is as in ``absence_reason``.
    """
    spoken: Counter[str] = Counter()
    for sentence, weight in timeline.sentences_in(timeline.full_window):
        if sentence.polarity is None:
            spoken[sentence.language] += weight
    if not spoken:
        return None
    return f"{subject} measured in English only; speech in {format_languages(spoken)} is left out."


def analysed_sentences_note(timeline: Timeline, subject: str) -> str | None:
    """Return how many of the sentences were analysed; None if all or none were.

    ``subject`` is as in ``absence_reason``.
    """
    analysed, total = timeline.analysed_sentences, len(timeline.sentences)
    return f"{subject} measured on {analysed} of {total} sentences: those in English." if 0 < analysed < total else None


def format_languages(spoken: Counter[str]) -> str:
    """List languages by name, most spoken first: ``German (de) and French (fr)``."""
    ordered = sorted(spoken, key=lambda language: (-spoken[language], language))
    names = [language_display_name(language) if language else "an unknown language" for language in ordered[:MAX_NAMED]]
    if len(ordered) > MAX_NAMED:
        names = [*names[:-1], "others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
