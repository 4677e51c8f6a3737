"""A score and what it is made of: every score of a meeting carries its parts and its support."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from server.insights.timeline import Support, SupportDocument


class ComponentDocument(TypedDict):
    """A stored ``Component``."""

    name: str
    value: float
    weight: float


class ScoreDocument(TypedDict):
    """A stored ``Score``."""

    score: float
    components: list[ComponentDocument]
    support: SupportDocument


@dataclass(frozen=True, slots=True)
class Component:
    """One named part of a score."""

    name: str
    value: float
    """0..1."""
    weight: float
    """0..1; the weights of a score sum to 1; 0: shown, not counted."""

    def to_document(self) -> ComponentDocument:
        """A JSON-able form."""
        return {"name": self.name, "value": self.value, "weight": self.weight}


@dataclass(frozen=True, slots=True)
class Score:
    """A score of 0..100 with its parts."""

    score: float
    components: tuple[Component, ...]
    support: Support

    def to_document(self) -> ScoreDocument:
        """A JSON-able form."""
        return {
            "score": self.score,
            "components": [component.to_document() for component in self.components],
            "support": self.support.to_document(),
        }


def weighted_score(components: tuple[Component, ...], support: Support) -> Score:
    """100 times the weighted sum of the components, to two decimals; 0 without sufficient support."""
    total = 100 * sum(component.value * component.weight for component in components)
    return Score(round(min(100.0, max(0.0, total)), 2) if support.sufficient else 0.0, components, support)
