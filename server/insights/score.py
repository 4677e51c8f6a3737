"""Scores with their components and support."""

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
    """A named component of a score."""

    name: str
    value: float
    """0..1."""
    weight: float
    """0..1; the weights of a score sum to 1; 0: informative only."""

    def to_document(self) -> ComponentDocument:
        """Return JSON-compatible values."""
        return {"name": self.name, "value": self.value, "weight": self.weight}


@dataclass(frozen=True, slots=True)
class Score:
    """A score of 0..100 with its components."""

    score: float
    components: tuple[Component, ...]
    support: Support

    def to_document(self) -> ScoreDocument:
        """Return JSON-compatible values."""
        return {
            "score": self.score,
            "components": [component.to_document() for component in self.components],
            "support": self.support.to_document(),
        }


def weighted_score(components: tuple[Component, ...], support: Support) -> Score:
    """Return 100 times the weighted sum of the components, two decimals; 0 without sufficient support."""
    total = 100 * sum(component.value * component.weight for component in components)
    return Score(round(min(100.0, max(0.0, total)), 2) if support.sufficient else 0.0, components, support)
