"""Redaction of a text without times: names of meetings and speakers, and sentences, as people or files gave them."""

from __future__ import annotations

import re

from server.conversation import Word
from server.redaction.detection import RedactionRules, find_spans
from server.redaction.transcript import placeholder

_PIECE = re.compile(r"[^\s_]+")
# A file's type: "call_+4915112345678.wav".
_FILE_TYPE = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)


def redact_text(text: str, rules: RedactionRules) -> str:
    """Return a text with placeholders; unchanged where there is nothing to redact."""
    # As a whole first: what looks like a file's type may be the end of an address.
    whole = _redact(text, rules)
    file_type = _FILE_TYPE.search(whole) if "@" not in whole else None
    if file_type is None:
        return whole
    return _redact(whole[: file_type.start()], rules) + file_type.group()


def _redact(text: str, rules: RedactionRules) -> str:
    pieces = list(_PIECE.finditer(text))
    words = [Word(piece.group(), 0, 0, None) for piece in pieces]
    redacted, done = "", 0
    for span in find_spans(words, rules):
        redacted += text[done : pieces[span.first].start()] + span.kind.placeholder
        done = pieces[span.last].end()
    return redacted + text[done:]


def redact_sentence(text: str, rules: RedactionRules, language: str, before: str = "", after: str = "") -> str:
    """Return a sentence with placeholders.

    Args:
        language: BCP 47 primary tag; empty if unknown.
        before, after: what the same speaker says around it: a number may begin in one sentence and end in the next.
    """
    pieces = text.split()
    around = before.split()
    words = [Word(piece, 0, 0, None) for piece in (*around, *pieces, *after.split())]
    first, last = len(around), len(around) + len(pieces) - 1
    shown, done = list[str](), 0
    for span in find_spans(words, rules, language):
        if span.last < first or span.first > last:
            continue
        covered = words[max(first, span.first) : min(last, span.last) + 1]
        shown += [*pieces[done : max(0, span.first - first)], placeholder(span.kind, covered).text]
        done = min(span.last, last) - first + 1
    return " ".join((*shown, *pieces[done:]))
