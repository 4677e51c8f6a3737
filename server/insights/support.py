"""What a score rests on, and what it is made of: every score carries both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from server.insights.timeline import Timeline

# Under this much speech a share or a rate says more about chance than about people.
MINIMUM_SPEECH_S = 10.0


@dataclass(frozen=True, slots=True)
class Component:
    """One named part of a score."""

    name: str
    value: float
    """0..1."""
    weight: float
    """0..1; the weights of a score sum to 1; 0: shown, not counted."""


@dataclass(frozen=True, slots=True)
class Support:
    """How much conversation a score was computed from."""

    definition_version: str
    speakers: int
    speech_seconds: float
    sufficient: bool
    reason: str
    note: str | None = None
    """What was left out, where something was."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score of 0..100 with its parts."""

    score: float
    components: tuple[Component, ...]
    support: Support

    def to_document(self) -> dict[str, Any]:
        """A JSON-able form: ``score``, ``components``, ``support``."""
        document = asdict(self)
        document["components"] = list(document["components"])
        return document


def support_of(line: Timeline, definition_version: str, speakers_needed: int) -> Support:
    """Whether the meeting holds enough for a score that needs ``speakers_needed`` speakers."""
    seconds = line.speech_us(line.whole) / 1e6
    speakers = len(line.speakers)
    reason = ""
    if speakers < speakers_needed:
        reason = f"{speakers_needed} speakers are needed, {speakers} heard"
    elif seconds < MINIMUM_SPEECH_S:
        reason = f"{MINIMUM_SPEECH_S:g} s of speech are needed, {seconds:.1f} s heard"
    return Support(definition_version, speakers, round(seconds, 3), not reason, reason)


def weighted_score(components: tuple[Component, ...], support: Support) -> Score:
    """100 times the weighted sum of the components, to two decimals; 0 without sufficient support."""
    total = 100 * sum(component.value * component.weight for component in components)
    return Score(round(min(100.0, max(0.0, total)), 2) if support.sufficient else 0.0, components, support)
