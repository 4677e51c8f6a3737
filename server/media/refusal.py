"""Reasons for refusing a file."""

from __future__ import annotations


class Refused(Exception):
    """The file is unusable; ``code`` is for programs, ``reason`` tells people why and what would help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def refuse_length(max_seconds: float) -> Refused:
    """Return the refusal of a recording longer than ``max_seconds``."""
    return Refused("too_long", f"the recording exceeds this server's limit of {max_seconds:.0f} s")


def refuse_channels(limit: int, channels: int | None = None) -> Refused:
    """Return the refusal of a recording with too many channels to keep separate.

    Args:
        limit: the maximum.
        channels: the recording's number, if it is known.
    """
    found = f"{channels}" if channels else f"more than {limit}"
    return Refused(
        "too_many_channels",
        f"the recording has {found} channels; channels=separate supports at most {limit}: upload it with"
        " channels=mixed, or only the channels with speech",
    )
