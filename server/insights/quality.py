"""NorthStar: one report on how the meeting went, with what drives it.

It describes; it does not judge people. How single participants rate a meeting can hardly be
predicted from such figures (Hosseinkashi et al. 2023), and the report says so.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from statistics import fmean
from typing import Any

from server.insights.balance import balance
from server.insights.energy import energy
from server.insights.english_only import absence
from server.insights.interaction import interaction_score
from server.insights.sentiment import sentiment
from server.insights.support import Score, support_of
from server.insights.timeline import Timeline

DEFINITION_VERSION = "2"
NOTE = (
    "It describes the conversation and is no judgement of people; how participants would rate a meeting cannot be told "
    "from it."
)
# A driver this far from the middle of its range raises or lowers the score noticeably.
NOTABLE = 15.0


def quality(line: Timeline) -> dict[str, Any]:
    """``quality_score`` 0..100 and ``drivers``; the other layers are stored beside it.

    The plain mean of those known of balance, interaction, energy and sentiment; ``note`` says which, ``reason`` why
    sentiment and emotions are absent.
    """
    scored: dict[str, Score] = {
        "balance": balance(line),
        "interaction": interaction_score(line),
        "energy": energy(line),
    }
    felt = sentiment(line)
    values = {name: score.score for name, score in scored.items()}
    if felt.score is None:
        made = f"The score is the plain mean of balance, interaction and energy. {felt.reason}"
    else:
        values["sentiment"] = float(felt.score)
        made = "The score is the plain mean of balance, interaction, energy and sentiment."
    support = replace(support_of(line, DEFINITION_VERSION, 2), note=felt.support.note)
    drivers = [{"name": name, "score": value, "effect": _effect(value)} for name, value in values.items()]
    for name, score in scored.items():
        drivers += [
            {"name": f"{name}.{part.name}", "score": round(100 * part.value, 2), "effect": _effect(100 * part.value)}
            for part in score.components
            if part.weight
        ]
    return {
        "quality_score": round(fmean(values.values()), 2) if support.sufficient else 0.0,
        "drivers": drivers,
        "note": f"{made} {NOTE}",
        "support": asdict(support),
        "reason": absence(line, line.whole, "Sentiment and emotions are"),
    }


def _effect(value: float) -> str:
    if value >= 50 + NOTABLE:
        return "raises"
    return "lowers" if value <= 50 - NOTABLE else "neutral"
