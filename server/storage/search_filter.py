"""What a search looks at, as conditions of its statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """What sentences are looked at; None or empty: all."""

    file_hash: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    held_from: datetime | None = None
    held_before: datetime | None = None
    """Exclusive."""
    speaker: str | None = None
    """Part of a speaker's name, in any case."""
    topic_key: str | None = None
    """Part of ``SearchSentence.topic_key``."""
    language: str | None = None
    required: tuple[str | None, ...] = ()
    """For each configuration, in the order of ``TermQueries``: what a sentence must match, as a tsquery."""
    excluded: tuple[str | None, ...] = ()
    """As ``required``: what a sentence must not match."""

    @property
    def passes_over_sentences(self) -> bool:
        """Whether some sentences of a meeting that is looked at may be passed over."""
        return bool(self.speaker or self.topic_key or self.language or self.required or self.excluded)


def meeting_conditions(wanted: SearchFilter, values: list[Any]) -> str:
    """Return a filter as conditions of meetings ``m``; its values are added."""
    return _joined(
        [
            ("m.file_hash = {}", wanted.file_hash),
            ("m.held_at >= {}::date::timestamp AT TIME ZONE 'UTC'", wanted.first_day),
            ("m.held_at < ({}::date + 1)::timestamp AT TIME ZONE 'UTC'", wanted.last_day),
            ("m.held_at >= {}", wanted.held_from),
            ("m.held_at < {}", wanted.held_before),
        ],
        values,
    )


def sentence_conditions(wanted: SearchFilter, configurations: Sequence[str], values: list[Any]) -> str:
    """Return a filter as conditions of sentences ``s``; its values are added."""
    of_configuration = "({}::tsquery[])[array_position({}::text[], s.configuration)]"
    # A phrase that is no word in the language of a sentence, such as one of stop words, is not required there.
    all_have = "quote_literal(organization_lexeme())::tsquery"
    required = (list(wanted.required), list(configurations)) if wanted.required else None
    excluded = (list(wanted.excluded), list(configurations)) if wanted.excluded else None
    return _joined(
        [
            (f"s.words @@ coalesce({of_configuration}, {all_have})", required),
            (f"(s.words @@ {of_configuration}) IS NOT TRUE", excluded),
            ("s.language = {}", wanted.language),
            ("strpos(s.topic_key, {}) > 0", wanted.topic_key),
            (
                # A value, and no condition that something exists: that might be answered by reading all speakers.
                "(SELECT strpos(folded(p.alias), folded({})) > 0 FROM speakers p WHERE p.organization_id = $1"
                " AND p.meeting_id = s.meeting_id AND p.label = s.speaker AND p.active)",
                wanted.speaker,
            ),
        ],
        values,
    )


def _joined(conditions: Sequence[tuple[str, Any]], values: list[Any]) -> str:
    text = ""
    for condition, value in conditions:
        if value is None:
            continue
        own = value if isinstance(value, tuple) else (value,)
        places = [f"${len(values) + place}" for place in range(1, len(own) + 1)]
        values.extend(own)
        text += " AND " + condition.format(*places)
    return text
