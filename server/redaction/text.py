"""Redaction of a text without times: names of meetings and speakers, as people or files gave them."""

from __future__ import annotations

import re

from server.conversation import Word
from server.redaction.detection import RedactionRules, find_spans

_PIECE = re.compile(r"[^\s_]+")
# A file's type: "call_+4915112345678.wav".
_FILE_TYPE = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)


def redact_text(text: str, rules: RedactionRules) -> str:
    """Return a text with placeholders; unchanged where there is nothing to redact."""
    file_type = _FILE_TYPE.search(text) if "@" not in text else None
    body = text[: file_type.start()] if file_type else text
    pieces = list(_PIECE.finditer(body))
    words = [Word(piece.group(), 0, 0, None) for piece in pieces]
    redacted, done = "", 0
    for span in find_spans(words, rules):
        redacted += body[done : pieces[span.first].start()] + span.kind.placeholder
        done = pieces[span.last].end()
    return redacted + text[done:]
