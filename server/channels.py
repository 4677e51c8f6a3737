"""What the channels and tracks of a recording are taken for."""

from __future__ import annotations

from enum import StrEnum


class ChannelUse(StrEnum):
    """Whose voices the channels of a recording carry."""

    MIXED = "mixed"
    """Everybody's: they are heard together, and speakers are told apart by their voices."""
    SEPARATE = "separate"
    """Each a participant's own: each is heard by itself, and nothing is told apart."""
