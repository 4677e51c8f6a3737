"""Why measures of English words are absent or partial, in the languages that were spoken."""

from __future__ import annotations

from collections import Counter

import pytest

from server.insights.timeline import Window, build_timeline
from server.insights.timeline.english_only import (
    absence_reason,
    analysed_sentences_note,
    format_languages,
    left_out_languages_note,
)
from tests.server.insights.meetings_in_languages import ENGLISH_LINES, german, german_and_english, meeting, talk

S = 1_000_000


def test_an_english_meeting_lacks_nothing() -> None:
    line = build_timeline(talk(meeting("en", *ENGLISH_LINES)))
    assert absence_reason(line, line.full_window, "Sentiment is") is None
    assert left_out_languages_note(line, "Sentiment is") is None
    assert analysed_sentences_note(line, "Sentiment is") is None


def test_a_meeting_in_another_language_names_it() -> None:
    line = build_timeline(german())
    assert absence_reason(line, line.full_window, "Sentiment is") == (
        "Sentiment is measured in English only; this meeting is in German (de)."
    )
    # All is missing, which is said elsewhere: no part is left out.
    assert analysed_sentences_note(line, "Sentiment is") is None


def test_a_part_in_another_language_is_told_apart_from_the_meeting() -> None:
    line = build_timeline(german_and_english())
    assert absence_reason(line, line.full_window, "Sentiment is") is None
    first = Window(0, 10 * S)
    assert absence_reason(line, first, "Sentiment is") == (
        "Sentiment is measured in English only; this part of it is in German (de)."
    )
    assert left_out_languages_note(line, "Sentiment is") == (
        "Sentiment is measured in English only; speech in German (de) is left out."
    )
    read = sum(sentence.polarity is not None for sentence in line.sentences)
    assert (
        analysed_sentences_note(line, "It is")
        == f"It is measured on {read} of {len(line.sentences)} sentences: those in English."
    )


def test_a_part_without_words_is_as_the_meeting() -> None:
    german_line, mixed = build_timeline(german()), build_timeline(german_and_english())
    silence = Window(german_line.duration_us, german_line.duration_us + S)
    assert (
        absence_reason(german_line, silence, "It is")
        == "It is measured in English only; this meeting is in German (de)."
    )
    assert absence_reason(mixed, Window(mixed.duration_us, mixed.duration_us + S), "It is") is None


@pytest.mark.parametrize(
    ("spoken", "listed"),
    [
        ({"de": 1}, "German (de)"),
        ({"fr": 1, "de": 2}, "German (de) and French (fr)"),
        ({"fr": 1, "de": 1}, "German (de) and French (fr)"),
        ({"de": 4, "fr": 3, "ja": 2}, "German (de), French (fr) and Japanese (ja)"),
        ({"de": 4, "fr": 3, "ja": 2, "th": 1}, "German (de), French (fr) and others"),
        ({"": 1}, "an unknown language"),
    ],
)
def test_languages_are_listed_the_most_spoken_first(spoken: dict[str, int], listed: str) -> None:
    assert format_languages(Counter(spoken)) == listed
