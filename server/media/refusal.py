"""Why a file cannot be used."""

from __future__ import annotations


class Refused(Exception):
    """The file cannot be used; ``code`` is for programs, ``reason`` for people, and says what would help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def too_long(max_seconds: float) -> Refused:
    """More than the server accepts."""
    return Refused("too_long", f"longer than this server accepts ({max_seconds:.0f} s)")


def too_many_channels(most: int, channels: int | None = None) -> Refused:
    """More than can be kept apart; ``channels`` where it is known how many."""
    found = f"{channels}" if channels else f"more than {most}"
    return Refused(
        "too_many_channels",
        f"the recording has {found} channels, and at most {most} can be heard apart: upload it with channels=mixed, or"
        " only the channels that people speak on",
    )
