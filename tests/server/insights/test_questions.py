"""Which questions are told."""

from __future__ import annotations

from dataclasses import replace

from server.insights.questions import questions
from tests.server.conversation.spoken import conversation
from tests.server.insights.talks import sentence


def test_questions_are_those_that_ask_more_than_a_word() -> None:
    talk = replace(
        conversation((1, 0, 9)),
        sentences=(
            sentence(1, 1, 2, "Who pays for it?", asks=True),
            sentence(2, 3.9, 5, "I do."),
            sentence(2, 5, 6, "Right?", asks=True),
        ),
    )
    assert questions(talk) == [{"speaker": 1, "question": "Who pays for it?", "start_ms": 1000}]
