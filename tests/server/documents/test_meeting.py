"""What documents know of a meeting."""

from __future__ import annotations

from server.documents.meeting import UNKNOWN_NAME, distinct_names
from tests.server.documents.documented import documented, of_conversation
from tests.server.insights.meetings_in_languages import GERMAN, meeting, talk


def test_names_are_one_line_and_distinct() -> None:
    named = distinct_names([(1, "Sam"), (2, "Sam"), (3, "Sam (2)"), (4, " A\n\tB "), (5, " ")])
    assert named == {1: "Sam", 2: "Sam (2)", 3: "Sam (2) (3)", 4: "A B", 5: f"{UNKNOWN_NAME} (5)"}
    assert len(set(named.values())) == len(named)


def test_a_statement_lasts_until_the_end_of_its_last_word() -> None:
    shown = documented("german")
    assert [statement.text for statement in shown.statements] == [text for _, text in GERMAN]
    for statement, (_, text) in zip(shown.statements, GERMAN, strict=True):
        assert statement.duration_ms == 400 * len(text.split())


def test_a_statement_within_another_ends_neither_early_nor_late() -> None:
    spoken = meeting("en", (1, "one two three four five six seven eight nine ten."))
    within = meeting("en", (2, "yes of course."), start_s=1, first=10)
    later = meeting("en", (1, "well then."), start_s=20, first=20)
    shown = of_conversation(talk(spoken, within, later), ("Ada", "Bob"))
    times = {one.text: (one.start_ms, one.end_ms) for one in shown.statements}
    assert times["one two three four five six seven eight nine ten."] == (0, 4000)
    assert times["yes of course."] == (1000, 2200)
    assert times["well then."] == (20_000, 20_800)


def test_what_nobody_is_known_to_have_said_comes_last() -> None:
    shown = of_conversation(talk(meeting("en", (1, "one two."), (0, "who is this?"), (1, "three."))), ("Ada",))
    assert list(shown.by_speaker(shown.words)) == [1, 0]
    assert shown.name_of(0) == UNKNOWN_NAME


def test_names_that_carry_a_number_already_stay_distinct() -> None:
    named = distinct_names([(1, "Sam (3)"), (2, "Sam"), (3, "Sam"), (4, "Unknown")])
    assert named == {1: "Sam (3)", 2: "Sam", 3: "Sam (3) (3)", 4: "Unknown (4)"}
