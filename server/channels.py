"""The use of a recording's channels."""

from __future__ import annotations

from enum import StrEnum


class ChannelUse(StrEnum):
    """Whose voices the channels of a recording carry."""

    MIXED = "mixed"
    """Everyone's: channels are mixed down, and speakers are distinguished by voice."""
    SEPARATE = "separate"
    """One participant's each: channels are analysed separately, without diarization."""
