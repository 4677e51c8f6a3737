"""Each speaker's share of the speaking time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from server.insights.family import Family
from server.insights.timeline import Support, SupportDocument, Timeline, support_of

DEFINITION_VERSION = "1"


def percentages_of(amounts: Sequence[float], decimals: int) -> tuple[float, ...]:
    """Shares of ``amounts`` in percent, rounded so that they still sum to exactly 100 (largest remainder).

    All 0 when the amounts sum to 0.
    """
    total = sum(amounts)
    if total <= 0:
        return tuple(0.0 for _ in amounts)
    unit = 10**decimals
    exact = [amount / total * 100 * unit for amount in amounts]
    parts = [int(value) for value in exact]
    by_remainder = sorted(range(len(amounts)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_remainder[: 100 * unit - sum(parts)]:
        parts[index] += 1
    return tuple(value / unit for value in parts)


class ShareDocument(TypedDict):
    """A stored ``Share``."""

    label: int
    percentage: float
    speaking_ms: int


class SharesDocument(TypedDict):
    """What ``GET /speakers-balance`` answers from."""

    speakers: list[ShareDocument]
    support: SupportDocument


@dataclass(frozen=True, slots=True)
class Share:
    """One speaker's share."""

    label: int
    percentage: float
    speaking_ms: int

    def to_document(self) -> ShareDocument:
        """A JSON-able form."""
        return {"label": self.label, "percentage": self.percentage, "speaking_ms": self.speaking_ms}


@dataclass(frozen=True, slots=True)
class Shares:
    """Every speaker's share, in the order of the speakers."""

    speakers: tuple[Share, ...]
    support: Support

    def to_document(self) -> SharesDocument:
        """A JSON-able form."""
        return {"speakers": [share.to_document() for share in self.speakers], "support": self.support.to_document()}


def shares(line: Timeline) -> Shares:
    """``meeting_speaking_percentage``: 100 t_i / sum t_j; sums to 100 over the speakers.

    t_i is the speaking time from diarization frames, overlap counted for each who speaks.
    """
    times = [line.speaking_us(speaker, line.whole) for speaker in line.speakers]
    listed = tuple(
        Share(speaker, percentage, round(time / 1000))
        for speaker, percentage, time in zip(line.speakers, percentages_of(times, decimals=2), times, strict=True)
    )
    return Shares(listed, support_of(line, DEFINITION_VERSION, 1))


SHARES = Family("shares", DEFINITION_VERSION, lambda meeting: shares(meeting.timeline).to_document())
