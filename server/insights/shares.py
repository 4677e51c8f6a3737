"""Each speaker's share of the speaking time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from server.conversation import Conversation
from server.insights.support import Support, support_of

DEFINITION_VERSION = "1"


def percentages(amounts: Sequence[int]) -> tuple[float, ...]:
    """Shares of ``amounts`` in percent with two decimals that sum to exactly 100.00 (largest remainder).

    All 0 when the amounts sum to 0.
    """
    total = sum(amounts)
    if total <= 0:
        return tuple(0.0 for _ in amounts)
    hundredths = [amount * 10_000 // total for amount in amounts]
    by_remainder = sorted(range(len(amounts)), key=lambda i: -(amounts[i] * 10_000 % total))
    for index in by_remainder[: 10_000 - sum(hundredths)]:
        hundredths[index] += 1
    return tuple(value / 100 for value in hundredths)


@dataclass(frozen=True, slots=True)
class Share:
    """One speaker's share."""

    label: int
    percentage: float
    speaking_ms: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Every speaker's share, in the order of the speakers."""

    speakers: tuple[Share, ...]
    support: Support

    def to_document(self) -> dict[str, Any]:
        """A JSON-able form: ``speakers``, ``support``."""
        return {"speakers": [asdict(share) for share in self.speakers], "support": asdict(self.support)}


def shares(conversation: Conversation) -> Shares:
    """``meeting_speaking_percentage``: 100 t_i / sum t_j; sums to 100 over the speakers.

    t_i is the speaking time from diarization frames, overlap counted for each who speaks.
    """
    times = [conversation.speaking_us(speaker) for speaker in conversation.speakers]
    listed = tuple(
        Share(speaker, percentage, round(time / 1000))
        for speaker, percentage, time in zip(conversation.speakers, percentages(times), times, strict=True)
    )
    return Shares(listed, support_of(conversation, DEFINITION_VERSION, 1))
