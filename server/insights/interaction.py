"""Interaction between participants, overall and per pair."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TypedDict

from server.insights.balance import evenness
from server.insights.family import Family
from server.insights.score import Component, Score, weighted_score
from server.insights.timeline import Support, SupportDocument, Timeline, Window, compute_support

DEFINITION_VERSION = "1"
# As in LENA: an alternation within 5 s is a conversational turn between two people.
EXCHANGE_GAP_US = 5_000_000
# Rate that counts as fully interactive.
REFERENCE_SWITCHES_PER_MINUTE = 10.0


def exchange_counts(timeline: Timeline, window: Window) -> dict[tuple[int, int], int]:
    """Count speaker changes at turn borders with a gap of at most 5 s, for each pair of speakers.

    Each unordered pair is listed once, in speaker order, with 0 if the two never alternate. LENA's conversational turn;
    turn-transition models: Dong, Lepri and Pentland, 2012.
    """
    found: Counter[frozenset[int]] = Counter()
    for before, after in timeline.speaker_changes(window):
        if after.start_us - before.end_us <= EXCHANGE_GAP_US:
            found[frozenset((before.speaker, after.speaker))] += 1
    return {pair: found[frozenset(pair)] for pair in combinations(timeline.speakers, 2)}


def interaction_components(timeline: Timeline, window: Window) -> tuple[Component, ...]:
    """Return the four components of the interaction score in a window, each 0..1 and of equal weight.

    ``turn_taking``: turns beginning in the window after another's turn, over utterances beginning in it after another
    utterance; for a whole meeting (turns-1)/(utterances-1) (Almaatouq et al., 2023), 0 with one utterance.
    ``switch_rate``: min(1, speaker switches per minute / 10) (Dong et al., 2012). ``participation``: share of the
    meeting's speakers with at least one exchange (Hosseinkashi et al., 2023). ``evenness``: Pielou's evenness of
    exchange counts over pairs; for two speakers 1 if they exchange at all.
    """
    switches = sum(1 for _ in timeline.speaker_changes(window))
    begun = timeline.count_utterance_starts(window)
    pairs = exchange_counts(timeline, window)
    exchanging = {speaker for pair, count in pairs.items() if count for speaker in pair}
    counts = list(pairs.values())
    minutes = window.duration_us / 60e6
    rate = switches / minutes / REFERENCE_SWITCHES_PER_MINUTE if minutes > 0 else 0.0
    n = len(timeline.speakers)
    return (
        Component("turn_taking", min(1.0, switches / max(1, begun)), 0.25),
        Component("switch_rate", min(1.0, rate), 0.25),
        Component("participation", len(exchanging) / n if n else 0.0, 0.25),
        Component("evenness", float(counts[0] > 0) if len(counts) == 1 else evenness(counts), 0.25),
    )


def interaction_value(timeline: Timeline, window: Window) -> float:
    """Return 100 times the mean of the four components in a window, 0..100; 0 with fewer than two speakers."""
    if len(timeline.speakers) < 2:
        return 0.0
    return 100 * sum(part.value * part.weight for part in interaction_components(timeline, window))


def interaction_score(timeline: Timeline) -> Score:
    """Return ``meeting_interaction_score`` of the whole meeting, 0..100.

    The composite has no published standard: read the components. Fewer than two speakers, or under 10 s of speech: 0,
    insufficient.
    """
    return weighted_score(
        interaction_components(timeline, timeline.full_window), compute_support(timeline, DEFINITION_VERSION, 2)
    )


class NodeDocument(TypedDict):
    """A stored ``Node``."""

    between: list[int]
    """Two speaker numbers."""
    value: int
    exchanges: int


class InteractionsDocument(TypedDict):
    """Stored answer of ``GET /single-feature-api/meeting/meeting-interactions``."""

    nodes: list[NodeDocument]
    support: SupportDocument


@dataclass(frozen=True, slots=True)
class Node:
    """The interaction strength of one pair."""

    between: tuple[int, int]
    value: int
    """100 times the pair's exchanges over the strongest pair's, rounded; 0..100."""
    exchanges: int

    def to_document(self) -> NodeDocument:
        """Return JSON-compatible values."""
        return {"between": list(self.between), "value": self.value, "exchanges": self.exchanges}


@dataclass(frozen=True, slots=True)
class InteractionMap:
    """The interaction of all pairs of speakers."""

    nodes: tuple[Node, ...]
    support: Support

    def to_document(self) -> InteractionsDocument:
        """Return JSON-compatible values."""
        return {"nodes": [node.to_document() for node in self.nodes], "support": self.support.to_document()}


def interaction_nodes(timeline: Timeline, window: Window) -> tuple[Node, ...]:
    """Return round(100 c_ij / max c) of each pair in a window; 0 if the two never alternate."""
    pairs = exchange_counts(timeline, window)
    strongest = max(pairs.values(), default=0)
    return tuple(Node(pair, round(100 * c / strongest) if strongest else 0, c) for pair, c in pairs.items())


def interaction_map(timeline: Timeline) -> InteractionMap:
    """Return ``nodes`` of the whole meeting."""
    return InteractionMap(
        interaction_nodes(timeline, timeline.full_window), compute_support(timeline, DEFINITION_VERSION, 2)
    )


INTERACTION_SCORE = Family(
    "interaction_score",
    DEFINITION_VERSION,
    lambda meeting: interaction_score(meeting.timeline).to_document(),
    quotes=False,
)
INTERACTIONS = Family(
    "interactions", DEFINITION_VERSION, lambda meeting: interaction_map(meeting.timeline).to_document(), quotes=False
)
