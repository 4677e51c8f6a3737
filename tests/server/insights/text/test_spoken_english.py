"""What rules read out of a sentence of spoken English: dates as they are said, names, assent."""

from __future__ import annotations

import pytest

from server.insights.text.spoken_english import addressed_name, as_name, find_assent, find_date, plain
from tests.server.insights.talks import sentence


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ("I'll send it by Friday.", "by Friday"),
        ("Um, by next Tuesday morning, please.", "by next Tuesday morning"),
        ("We need ideas for the next meeting.", "for the next meeting"),
        ("I can do it before the end of the month, I think.", "before the end of the month"),
        ("It is due on March 3rd.", "on March 3rd"),
        ("Have it ready on the 14th.", "on the 14th"),
        ("It takes until 5 p.m. or so.", "until 5 p.m."),
        ("I'll be back in half an hour.", "in half an hour"),
        ("Let's meet within two weeks.", "within two weeks"),
        ("Tomorrow I'll call them.", "Tomorrow"),
        ("I'll do it as soon as possible.", "as soon as possible"),
        ("We\u2019ll know right after the meeting.", "right after the meeting"),
        ("I may do it for the second one.", None),
        ("In an hourly rate.", None),
        ("Todays are long.", None),
        ("", None),
    ],
)
def test_a_date_is_the_phrase_as_it_was_said(said: str, date: str | None) -> None:
    assert find_date(said) == date


def test_fillers_and_marks_are_no_words_of_rules() -> None:
    assert plain("Um, uh I\u2019ll  send it, umm.") == "i'll send it"
    assert plain("Umbrella.") == "umbrella"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("so Daniel, could you send it", "Daniel"),
        ("could you send it, Daniel", "Daniel"),
        ("Daniel could you send it", "Daniel"),
        ("will you send it", None),
        ("table, could you send it", None),
    ],
)
def test_who_is_addressed(said: str, name: str | None) -> None:
    assert addressed_name(said.lower()) == name


def test_ordinary_words_are_no_names() -> None:
    assert (as_name("daniel"), as_name("will"), as_name("remote")) == ("Daniel", None, None)


def test_somebody_else_assents_soon() -> None:
    asked = sentence(1, 0, 2, "Can you send it?")
    own, late = sentence(1, 2, 3, "Yes."), sentence(2, 9, 10, "Yes, I will.")
    soon = sentence(2, 3, 4, "Um, yes, I will.")
    assert find_assent([asked, own, soon], 0) == 2
    assert find_assent([asked, own, late], 0) is None
    assert find_assent([asked, sentence(2, 3, 4, "Yesterday was fine.")], 0) is None
    assert find_assent([asked, sentence(2, 3, 4, "Why?"), sentence(2, 4, 5, "Yes.")], 0) is None
    assert find_assent([asked, sentence(0, 3, 4, "Yes.")], 0) is None
    assert find_assent([asked], 0) is None
