"""Reasons for refusing a file."""

from __future__ import annotations

# The code of a refusal that the first look at a file can give.
SAMPLE_RATE = "sample_rate"


class Refused(Exception):
    """The file is unusable; ``code`` is for programs, ``reason`` tells people why and what would help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def refuse_length(max_seconds: float) -> Refused:
    """Return the refusal of a recording longer than ``max_seconds``."""
    return Refused("too_long", f"the recording exceeds this server's limit of {max_seconds:.0f} s")


def refuse_total(max_bytes: int) -> Refused:
    """Return the refusal of a recording whose tracks, decoded, take more than ``max_bytes`` together."""
    return Refused(
        "too_much_audio",
        f"the recording's tracks and channels exceed this server's limit of {max_bytes} bytes of decoded audio"
        " together: upload only the ones with speech, or in parts",
    )


def refuse_rate(rate_hz: int, lowest_hz: int, highest_hz: int) -> Refused:
    """Return the refusal of a recording with audio at an unusable sample rate."""
    return Refused(
        SAMPLE_RATE,
        f"the audio has a sample rate of {rate_hz} Hz; rates from {lowest_hz} to {highest_hz} Hz are supported:"
        " correct the rate that the file states, or record at 16000 Hz or more",
    )


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
