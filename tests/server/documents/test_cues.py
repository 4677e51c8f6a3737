"""Cues of subtitles."""

from __future__ import annotations

import pytest

from server.documents.cues import LINE_COLUMNS, MAX_MS, columns, find_cues
from tests.server.documents.documented import KINDS, documented, of_conversation
from tests.server.insights.meetings_in_languages import meeting, talk


@pytest.mark.parametrize("kind", KINDS)
def test_cues_can_be_read(kind: str) -> None:
    for cue in find_cues(documented(kind)):
        assert 1 <= len(cue.lines) <= 2
        for line in cue.lines:
            assert columns(line) <= LINE_COLUMNS
            assert line.strip() == line != ""
        assert 0 < cue.end_ms - cue.start_ms <= MAX_MS


def test_people_who_speak_at_once_have_cues_at_once() -> None:
    first = meeting("en", (1, "one two three four five six seven eight nine ten."))
    second = meeting("en", (2, "yes of course."), start_s=1, first=10)
    cues = find_cues(of_conversation(talk(first, second), ("Ada", "Bob")))
    assert [cue.speaker for cue in cues] == [1, 2]
    assert " ".join(cues[0].lines) == "one two three four five six seven eight nine ten."
    assert cues[1].start_ms < cues[0].end_ms


def test_a_word_wider_than_a_line_stays_whole() -> None:
    word = "x" * (LINE_COLUMNS + 8)
    cues = find_cues(of_conversation(talk(meeting("en", (1, f"a {word} b."))), ("Ada",)))
    assert [word in line for cue in cues for line in cue.lines].count(True) == 1


def test_a_word_of_a_moment_is_shown_for_a_second() -> None:
    shown = of_conversation(talk(meeting("en", (1, "yes."), (2, "no."))), ("Ada", "Bob"))
    assert [cue.end_ms - cue.start_ms for cue in find_cues(shown)] == [1000, 1000]
