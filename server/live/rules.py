"""The rules of a live meeting: what is told as an alert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

# Rules in a list, phrases of a rule, characters of a phrase.
MAX_RULES, MAX_PHRASES, MAX_PHRASE = 32, 20, 100
# A rule tells so many alerts in a meeting: nobody fills the disk with them.
MAX_ALERTS = 1000


class RuleKind(StrEnum):
    """What a rule watches for; the fields of ``LiveRule.kind`` by name."""

    MONOLOGUE = "monologue"
    NOT_HEARD = "not_heard"
    PHRASE = "phrase"
    SENTIMENT = "sentiment"
    SPEAKING_SHARE = "speaking_share"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class LiveRule:
    """One validated rule."""

    id: str
    kind: RuleKind
    bound: int = 0
    """Seconds (MONOLOGUE, NOT_HEARD, SILENCE), a score (SENTIMENT) or percent (SPEAKING_SHARE); 0 for PHRASE."""
    window_s: int = 0
    """SENTIMENT and SPEAKING_SHARE: the seconds that are looked at."""
    phrases: tuple[str, ...] = ()
    """PHRASE: as they were given."""
    said_by: str = ""
    """PHRASE: the alias of the only speaker who counts; empty for anybody."""

    def to_document(self) -> dict[str, Any]:
        """Return JSON-compatible values; ``rules_from_documents`` is the inverse."""
        return {**asdict(self), "phrases": list(self.phrases)}


def rules_from_documents(documents: Iterable[dict[str, Any]]) -> tuple[LiveRule, ...]:
    """Rebuild rules from ``LiveRule.to_document``'s output."""
    return tuple(
        LiveRule(**{**document, "kind": RuleKind(document["kind"]), "phrases": tuple(document["phrases"])})
        for document in documents
    )


def join_rules(own: Sequence[LiveRule], organization: Sequence[LiveRule]) -> tuple[LiveRule, ...]:
    """Return a meeting's own rules, then those of its organization with other ids."""
    ids = {rule.id for rule in own}
    return (*own, *(rule for rule in organization if rule.id not in ids))
