"""Action items and decisions by rules of English."""

from __future__ import annotations

from itertools import count

import pytest

from server.conversation import Sentence
from server.insights.text.agreements import MAX_FOUND, find_action_items, find_decisions
from tests.server.insights.talks import S, sentence

LENGTH_S = 100


def said(*lines: tuple[int, str], first_s: float = 10) -> list[Sentence]:
    """Sentences of two seconds each, those with a question mark as questions."""
    return [
        sentence(speaker, first_s + 2 * i, first_s + 2 * i + 2, text, asks=text.endswith("?"))
        for i, (speaker, text) in zip(count(), lines, strict=False)
    ]


def items(sentences: list[Sentence]) -> list[tuple[tuple[int, ...], int | None, str | None, str | None]]:
    found = find_action_items(sentences, LENGTH_S * S, range(len(sentences)))
    return [(item.places, item.speaker, item.person, item.due) for item in found]


def decided(sentences: list[Sentence]) -> list[tuple[int, ...]]:
    return [found.places for found in find_decisions(sentences, range(len(sentences)))]


def test_whoever_undertakes_something_is_to_do_it_by_when_they_say() -> None:
    assert items(said((2, "I'll send you the report by Friday."))) == [((0,), 2, None, "by Friday")]
    assert items(said((0, "I'll send you the report by Friday."))) == [((0,), None, None, "by Friday")]


def test_a_request_is_for_whoever_says_yes_to_it() -> None:
    talk = said((1, "Can you send the slides to everybody?"), (2, "Yes, I think I can."), first_s=70)
    assert items(talk) == []
    talk = said((1, "Can you send the slides to everybody by tomorrow?"), (2, "Yes, I think I can."))
    assert items(talk) == [((0, 1), 2, None, "by tomorrow")]
    talk = said((1, "Can you send the slides to everybody?"), (2, "Yes, I'll send them by tomorrow."))
    assert items(talk) == [((0, 1), 2, None, "by tomorrow")]


def test_a_request_by_name_is_for_that_person() -> None:
    talk = said((1, "Daniel, could you book the room for Monday?"), (2, "Sure."))
    assert items(talk) == [((0, 1), None, "Daniel", "for Monday")]


def test_tasks_are_given_by_name_by_role_and_to_everybody() -> None:
    talk = said(
        (1, "Daniel will be working on the prototype."),
        (1, "The industrial designer will look at the working design."),
        (1, "We all need to come up with ideas for the next meeting."),
        first_s=85,
    )
    assert items(talk) == [
        ((0,), None, "Daniel", None),
        ((1,), None, "the industrial designer", None),
        ((2,), None, None, "for the next meeting"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "I'll show you the figures now.",
        "If people will buy it, we are fine.",
        "Maybe I'll look into it some day if I can.",
        "I sent the report by Friday.",
        "Will do.",
        "I'll send it " + "very " * 60 + "soon by Friday.",
        "I'll send it by Friday " + "x" * 600,
    ],
    ids=["presenting", "condition", "doubt", "past", "short", "many words", "many letters"],
)
def test_what_is_no_task(text: str) -> None:
    assert items(said((1, text))) == []


def test_decisions_are_what_was_decided_chosen_or_settled() -> None:
    talk = said(
        (1, "We have decided to move the launch to May."),
        (2, "What else is there?"),
        (1, "So let's go with the blue one."),
        (2, "Yeah, fine."),
        (1, "The production cost must be twelve euros at most."),
    )
    assert decided(talk) == [(0,), (2, 3), (4,)]


@pytest.mark.parametrize(
    "text",
    ["Let's have a look at it.", "If we go with the blue one it might work.", "Have we decided on it?", "We talked."],
)
def test_what_is_no_decision(text: str) -> None:
    assert decided(said((1, text))) == []


def test_only_the_given_places_are_read_and_the_clearest_are_kept() -> None:
    talk = [sentence(1, 0, 2, f"I'll send you report {i} by Friday.") for i in range(MAX_FOUND + 20)]
    assert len(items(talk)) == MAX_FOUND
    assert find_action_items(talk, LENGTH_S * S, []) == find_decisions(talk, []) == []
    late = [sentence(1, 90, 92, "I'll send you the last report by Friday.")]
    found = find_action_items([*talk, *late], LENGTH_S * S, range(len(talk) + 1))
    assert found[-1].places == (len(talk),)


def test_a_meeting_without_length_has_its_items() -> None:
    found = find_action_items(said((1, "I'll send you the report by Friday.")), 0, [0])
    assert [item.due for item in found] == ["by Friday"]
