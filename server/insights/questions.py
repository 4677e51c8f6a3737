"""The questions that were asked."""

from __future__ import annotations

from typing import Any

from server.conversation import Conversation

DEFINITION_VERSION = "1"
# A single word with a question mark asks nothing that anybody would want listed.
LEAST_WORDS = 2


def questions(conversation: Conversation) -> list[dict[str, Any]]:
    """Row 10: every sentence that asks, in the order of time: ``speaker``, ``question``, ``start_ms``."""
    return [
        {"speaker": s.speaker, "question": s.text, "start_ms": s.start_us // 1000}
        for s in conversation.sentences
        if s.asks and len(s.text.split()) >= LEAST_WORDS
    ]
