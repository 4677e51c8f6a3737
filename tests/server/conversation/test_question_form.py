"""Which sentences ask."""

from __future__ import annotations

import pytest

from server.conversation.question_form import is_question


@pytest.mark.parametrize(
    "text",
    [
        "what do you think",
        "um so can you open the file",
        "is that okay",
        "how about a smaller one",
        "anything else",
        "you have seen it haven't you",
        "in what way would it help",
        "do you know the price",
        "It works?",
    ],
)
def test_these_ask(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "what i mean is this",
        "when we get there it rains",
        "which is fine",
        "do the dishes",
        "have a look",
        "that's right",
        "i know what it is",
        "it is what it is",
        "yeah",
    ],
)
def test_these_tell(text: str) -> None:
    assert not is_question(text)


def test_punctuated_text_asks_only_where_it_says_so() -> None:
    assert not is_question("What a day.", punctuated=True)
    assert not is_question("What do you think.", punctuated=True)
