"""Names of speakers, from what is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.insights.text.naming import find_speaker_names, mentioned_names
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import sentence


def named(*said: tuple[int, str]) -> dict[int, str]:
    spoken = tuple(sentence(who, 3 * i, 3 * i + 2, text) for i, (who, text) in enumerate(said))
    return {n.speaker: n.name for n in find_speaker_names(replace(conversation(), sentences=spoken))}


@pytest.mark.parametrize(
    "text",
    [
        "I'm Daniel.",
        "i am daniel and i lead this",
        "My name is Daniel.",
        "This is Daniel speaking.",
        "Hi, Daniel here.",
    ],
)
def test_who_introduces_themselves_is_named(text: str) -> None:
    assert named((1, text), (2, "Good morning.")) == {1: "Daniel"}


def test_who_answers_to_a_name_has_it() -> None:
    said = [
        (1, "Laura, what do you think?"),
        (2, "I think it works."),
        (1, "Thanks, Laura."),
        (2, "You're welcome."),
        (1, "Next item."),
    ]
    assert named(*said) == {2: "Laura"}


@pytest.mark.parametrize(
    "said",
    [
        [(1, "I'm tired."), (2, "Me too.")],
        [(1, "I will do it."), (2, "Good.")],
        [(1, "I am grace under pressure."), (2, "Sure.")],
        [(1, "I told Daniel yesterday."), (2, "Okay.")],
        # Two people with the same claim: nobody gets it.
        [(1, "I'm Daniel."), (2, "I'm Daniel.")],
        # One hint alone is too little.
        [(1, "Thanks, Laura."), (2, "Sure.")],
    ],
)
def test_what_is_not_clear_names_nobody(said: list[tuple[int, str]]) -> None:
    assert named(*said) == {}


def test_ambiguous_names_count_after_my_name_is() -> None:
    assert named((1, "My name is Grace."), (2, "Hello.")) == {1: "Grace"}


def test_names_are_mentioned_whoever_they_belong_to() -> None:
    said = (
        "My name is Will.",
        "Thank you very much, Laura.",
        "I told Kevin that I will go.",
        "Daniel, can you hear me?",
    )
    spoken = tuple(sentence(1, 3 * i, 3 * i + 2, text) for i, text in enumerate(said))
    assert mentioned_names(replace(conversation(), sentences=spoken)) == {"Will", "Laura", "Daniel"}
    german = tuple(replace(one, language="de") for one in spoken)
    assert mentioned_names(replace(conversation(), sentences=german)) == set()
