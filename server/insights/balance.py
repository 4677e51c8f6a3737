"""The balance of speaking time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from server.insights.family import Family
from server.insights.score import Component, Score, weighted_score
from server.insights.timeline import Timeline, Window, compute_support

DEFINITION_VERSION = "1"


def evenness(amounts: Sequence[float]) -> float:
    """Return Pielou's evenness J = -sum p_i ln p_i / ln n of non-negative amounts, 0..1.

    p ln p is 0 at 0; fewer than two amounts, or a sum of 0, give 0.
    Source: Pielou, J. Theor. Biol. 13 (1966).
    """
    total = math.fsum(amounts)
    if len(amounts) < 2 or total <= 0:
        return 0.0
    parts = [amount / total for amount in amounts]
    entropy = -math.fsum(p * math.log(p) for p in parts if p > 0)
    return min(1.0, max(0.0, entropy / math.log(len(parts))))


def gini(amounts: Sequence[float]) -> float:
    """Return the Gini coefficient of non-negative amounts, 0 (all equal) .. (n-1)/n (one has all).

    Source: as used for airtime by Tausczik and Pennebaker, CSCW 2013.
    """
    ordered = sorted(amounts)
    total, n = math.fsum(ordered), len(ordered)
    if n < 2 or total <= 0:
        return 0.0
    ranked = math.fsum(rank * amount for rank, amount in enumerate(ordered, start=1))
    return min(1.0, max(0.0, 2 * ranked / (n * total) - (n + 1) / n))


def window_evenness(timeline: Timeline, window: Window) -> float:
    """Return the evenness of speaking times in a window, over all speakers of the meeting, 0..1."""
    return evenness([timeline.speaking_us(speaker, window) for speaker in timeline.speakers])


def balance(timeline: Timeline) -> Score:
    """Return ``balance_score`` = 100 J of the speaking times t_i (overlap counts for each speaker), 0..100.

    100: all speak equally long. It says nothing about content, or whether equal shares were appropriate. Fewer than two
    speakers, or under 10 s of speech: 0, insufficient. The Gini coefficient is included with weight 0.
    """
    times = [timeline.speaking_us(speaker, timeline.full_window) for speaker in timeline.speakers]
    components = (Component("evenness", evenness(times), 1.0), Component("gini", gini(times), 0.0))
    return weighted_score(components, compute_support(timeline, DEFINITION_VERSION, 2))


BALANCE = Family("balance", DEFINITION_VERSION, lambda meeting: balance(meeting.timeline).to_document(), quotes=False)
