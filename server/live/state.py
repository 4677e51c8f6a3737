"""The state of a live meeting in the process that holds it."""

from __future__ import annotations

from enum import StrEnum


class LiveState(StrEnum):
    """States of a live meeting; the diagram is in docs/live.md."""

    OPEN = "open"
    """The meeting accepts audio."""
    FINISHING = "finishing"
    """The meeting accepts no more audio; the final analysis runs."""
    CONCLUDED = "concluded"
    """The last event is published."""
    LOST = "lost"
    """This process no longer holds the meeting."""


ALLOWED_TRANSITIONS: dict[LiveState, frozenset[LiveState]] = {
    LiveState.OPEN: frozenset({LiveState.FINISHING, LiveState.LOST}),
    LiveState.FINISHING: frozenset({LiveState.CONCLUDED, LiveState.LOST}),
    LiveState.CONCLUDED: frozenset({LiveState.LOST}),
    LiveState.LOST: frozenset(),
}


def transition(before: LiveState, after: LiveState) -> LiveState:
    """Return ``after`` if the transition is allowed. Raises ValueError otherwise: a bug in the caller."""
    if after not in ALLOWED_TRANSITIONS[before]:
        raise ValueError(f"a live meeting that is {before} cannot become {after}")
    return after
