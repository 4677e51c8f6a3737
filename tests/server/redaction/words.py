"""Words of made conversations, three a second."""

from __future__ import annotations

from collections.abc import Iterable

from server.conversation import RedactionKind, Segment, Word
from server.redaction import RedactionRules, find_spans

WORD_US = 300_000


def spoken(text: str, start_us: int = 0, confidence: float | None = None) -> tuple[Word, ...]:
    """Return the words of a text, each 0.25 s long and 0.05 s apart."""
    return tuple(
        Word(word, start_us + i * WORD_US, start_us + (i + 1) * WORD_US - 50_000, confidence)
        for i, word in enumerate(text.split())
    )


def segment(id_: int, speaker: int, text: str, start_us: int = 0, language: str = "en") -> Segment:
    """Return a segment of a speaker."""
    words = spoken(text, start_us)
    return Segment(id_, speaker, start_us, words[-1].end_us if words else start_us, words, language=language)


def found(
    text: str, names: Iterable[str] = (), language: str = "en", *, any_given_name: bool = False
) -> list[tuple[str, str]]:
    """Return what is redacted in a text: (kind, words)."""
    words = spoken(text)
    rules = RedactionRules.create(RedactionKind, tuple(names), any_given_name=any_given_name)
    return [
        (str(span.kind), " ".join(word.text for word in words[span.first : span.last + 1]))
        for span in find_spans(words, rules, language)
    ]
