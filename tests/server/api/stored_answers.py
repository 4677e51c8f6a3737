"""Answers of a meeting, as they lie in the database."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from server.api.answers import ReadyAnswer
from server.conversation import Conversation
from server.insights import NOTES, QUALITY, QUESTIONS, Answer, Document, Family, compute_answers
from server.storage.speakers import SpeakerRow
from tests.server.insights.meetings_in_languages import ENGINE

SPEAKERS = tuple(SpeakerRow(label, UUID(int=label), f"Speaker {label}", "number") for label in (1, 2))
NEW = ("reason", "note", "sentences_in_all")


class Stored:
    """Answers of one meeting, as they lie in the database; ``of_old``: as the first version stored them."""

    def __init__(self, conversation: Conversation, *, of_old: bool = False, notice: str = "") -> None:
        self._notice = notice
        self._duration_ms = conversation.duration_us // 1000
        self._found = compute_answers(conversation)
        if of_old:
            for name, (version, document) in self._found.items():
                self._found[name] = Answer(version, _of_old(document))
            del self._found[QUESTIONS.name].document["method"]
            # There were no notes.
            del self._found[NOTES.name], self._found[QUALITY.name].document["notes"]

    async def get(self, file_hash: str, family: Family[Document], *, live: bool = False) -> ReadyAnswer[Document]:
        """See ``Answers.get``."""
        version, document = self._found[family.name]
        value, engine = family.typed(json.loads(json.dumps(document))), {"languages": list(ENGINE.languages)}
        return ReadyAnswer(value, engine, SPEAKERS, self._duration_ms, version, self._notice)


def _of_old(document: Any) -> Any:
    """Without what only meetings of other languages have, and without languages."""
    if isinstance(document, dict):
        return {
            name: _of_old(value)
            for name, value in document.items()
            if not (name in NEW and value is None) and name not in ("language", "language_confidence")
        }
    return [_of_old(item) for item in document] if isinstance(document, list) else document
