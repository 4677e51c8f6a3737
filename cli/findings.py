"""What ``meetra doctor`` finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Of what was looked at."""

    GOOD = "good"
    ADVICE = "advice"
    """It works; something is worth knowing or doing."""
    WRONG = "wrong"
    """It does not work, or will soon not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    """What was looked at, a word or two."""
    state: State
    text: str
    """What was found."""
    fix: str = ""
    """What to do; empty where nothing is to be done."""
