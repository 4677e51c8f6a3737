"""Speakers' shares of the speaking time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from server.insights.family import Family
from server.insights.timeline import Support, SupportDocument, Timeline, compute_support

DEFINITION_VERSION = "1"


def to_percentages(amounts: Sequence[float], decimals: int) -> tuple[float, ...]:
    """Return the shares of ``amounts`` in percent, rounded to sum to exactly 100 (largest remainder).

    All are 0 if the amounts sum to 0.
    """
    total = sum(amounts)
    if total <= 0:
        return tuple(0.0 for _ in amounts)
    unit = 10**decimals
    exact = [amount / total * 100 * unit for amount in amounts]
    parts = [int(value) for value in exact]
    order = sorted(range(len(amounts)), key=lambda i: (parts[i] - exact[i], i))
    for index in order[: 100 * unit - sum(parts)]:
        parts[index] += 1
    return tuple(value / unit for value in parts)


class ShareDocument(TypedDict):
    """A stored ``Share``."""

    label: int
    percentage: float
    speaking_ms: int


class SharesDocument(TypedDict):
    """Stored answer of ``GET /speakers-balance``."""

    speakers: list[ShareDocument]
    support: SupportDocument


@dataclass(frozen=True, slots=True)
class Share:
    """One speaker's share."""

    label: int
    percentage: float
    speaking_ms: int

    def to_document(self) -> ShareDocument:
        """Return JSON-compatible values."""
        return {"label": self.label, "percentage": self.percentage, "speaking_ms": self.speaking_ms}


@dataclass(frozen=True, slots=True)
class Shares:
    """All speakers' shares, in speaker order."""

    speakers: tuple[Share, ...]
    support: Support

    def to_document(self) -> SharesDocument:
        """Return JSON-compatible values."""
        return {"speakers": [share.to_document() for share in self.speakers], "support": self.support.to_document()}


def shares(timeline: Timeline) -> Shares:
    """Return ``meeting_speaking_percentage`` = 100 t_i / sum t_j of each speaker; they sum to 100.

    t_i is the speaking time from diarization; overlap counts for each speaker.
    """
    times = [timeline.speaking_us(speaker, timeline.full_window) for speaker in timeline.speakers]
    listed = tuple(
        Share(speaker, percentage, round(time / 1000))
        for speaker, percentage, time in zip(timeline.speakers, to_percentages(times, decimals=2), times, strict=True)
    )
    return Shares(listed, compute_support(timeline, DEFINITION_VERSION, 1))


SHARES = Family("shares", DEFINITION_VERSION, lambda meeting: shares(meeting.timeline).to_document(), quotes=False)
