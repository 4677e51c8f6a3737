"""How far each track of a live meeting is heard, as far as others must wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hearing:
    """How far one track is heard, microseconds of the meeting."""

    turns_us: int
    """Turns are known up to here."""
    shown_us: int
    """Turns are known up to here, and none is held until it is judged."""
    quiet: bool
    """Nothing that has come of it is still to be told: it sends nothing now, or never did."""
    awaited: bool
    """What happens on all tracks is known only once this one is heard."""


def known_through_us(hearings: Sequence[Hearing]) -> int:
    """Return up to where it is known whether somebody speaks, microseconds of the meeting.

    Tracks that nobody waits for are silent as far as is known; where nothing comes of any, time stands still.
    """
    awaited = [hearing.shown_us for hearing in hearings if hearing.awaited]
    return min(awaited) if awaited else max((hearing.turns_us for hearing in hearings), default=0)
