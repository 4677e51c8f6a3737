"""Where a live meeting stands in the process that holds it."""

from __future__ import annotations

from enum import StrEnum


class LiveState(StrEnum):
    """See docs/live.md."""

    OPEN = "open"
    """It takes audio."""
    FINISHING = "finishing"
    """It takes none; what came is analysed to its end."""
    CONCLUDED = "concluded"
    """It has told its last event."""
    LOST = "lost"
    """This process holds it no more."""


MAY_FOLLOW: dict[LiveState, frozenset[LiveState]] = {
    LiveState.OPEN: frozenset({LiveState.FINISHING, LiveState.LOST}),
    LiveState.FINISHING: frozenset({LiveState.CONCLUDED, LiveState.LOST}),
    LiveState.CONCLUDED: frozenset({LiveState.LOST}),
    LiveState.LOST: frozenset(),
}


def following(before: LiveState, after: LiveState) -> LiveState:
    """``after``, if it may follow ``before``. Raises ValueError: a fault of whoever asks."""
    if after not in MAY_FOLLOW[before]:
        raise ValueError(f"a live meeting that is {before} cannot become {after}")
    return after
