"""How much the participants interact, and who with whom."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from server.conversation import Conversation, exchanges, turns, utterances
from server.insights.balance import evenness
from server.insights.support import Component, Score, Support, support_of, weighted_score

DEFINITION_VERSION = "1"
# A conversation that changes speaker ten times a minute counts as fully interactive.
REFERENCE_SWITCHES_PER_MINUTE = 10.0


def interaction_score(conversation: Conversation) -> Score:
    """``meeting_interaction_score``: 100 times the mean of four components, 0..100.

    ``turn_taking``: (turns-1)/(utterances-1) (Almaatouq et al. 2023), 0 with one utterance;
    ``switch_rate``: min(1, speaker switches per minute of meeting / 10) (Dong et al. 2012);
    ``participation``: speakers with at least one exchange / n (Hosseinkashi et al. 2023);
    ``evenness``: Pielou's evenness of the exchange counts over the n(n-1)/2 pairs, for two
    speakers 1 as soon as they exchange at all.

    The composite has no published standard: read the components. Fewer than two speakers, or
    under 10 s of speech: 0, insufficient.
    """
    spoken = utterances(conversation)
    taken = turns(spoken)
    pairs = exchanges(conversation.speakers, taken)
    n = len(conversation.speakers)
    switches = sum(a.speaker != b.speaker for a, b in pairwise(taken))
    minutes = conversation.duration_us / 60e6
    exchanging = {speaker for pair in pairs if pair.count for speaker in pair.between}
    counts = [pair.count for pair in pairs]
    pair_evenness = float(counts[0] > 0) if len(counts) == 1 else evenness(counts)
    components = (
        Component("turn_taking", max(0, len(taken) - 1) / max(1, len(spoken) - 1), 0.25),
        Component(
            "switch_rate",
            min(1.0, switches / minutes / REFERENCE_SWITCHES_PER_MINUTE) if minutes > 0 else 0.0,
            0.25,
        ),
        Component("participation", len(exchanging) / n if n else 0.0, 0.25),
        Component("evenness", pair_evenness, 0.25),
    )
    return weighted_score(components, support_of(conversation, DEFINITION_VERSION, 2))


@dataclass(frozen=True, slots=True)
class Node:
    """How strongly one pair interacts."""

    between: tuple[int, int]
    value: int
    """100 times the pair's exchanges over the strongest pair's, rounded; 0..100."""
    exchanges: int


@dataclass(frozen=True, slots=True)
class InteractionMap:
    """Every pair of speakers once."""

    nodes: tuple[Node, ...]
    support: Support

    def to_document(self) -> dict[str, Any]:
        """A JSON-able form: ``nodes``, ``support``."""
        return {
            "nodes": [{**asdict(node), "between": list(node.between)} for node in self.nodes],
            "support": asdict(self.support),
        }


def interaction_map(conversation: Conversation) -> InteractionMap:
    """``nodes``: for every pair round(100 c_ij / max c), 0 where the two never follow one another.

    c_ij counts speaker changes between the two at turn borders with a gap of at most 5 s
    (LENA's conversational turn; turn-transition models: Dong, Lepri, Pentland 2012).
    """
    pairs = exchanges(conversation.speakers, turns(utterances(conversation)))
    strongest = max((pair.count for pair in pairs), default=0)
    nodes = tuple(
        Node(pair.between, round(100 * pair.count / strongest) if strongest else 0, pair.count) for pair in pairs
    )
    return InteractionMap(nodes, support_of(conversation, DEFINITION_VERSION, 2))
