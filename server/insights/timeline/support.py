"""The support of a score: how much conversation it is based on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NotRequired, TypedDict

from server.insights.timeline.timeline import Timeline

# With less speech, shares and rates reflect chance rather than people.
MINIMUM_SPEECH_S = 10.0


class SupportDocument(TypedDict):
    """A stored ``Support``."""

    definition_version: str
    speakers: int
    speech_seconds: float
    sufficient: bool
    reason: str
    note: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Support:
    """How much conversation a score was computed from."""

    definition_version: str
    speakers: int
    speech_seconds: float
    sufficient: bool
    reason: str
    note: str | None = None
    """What was left out, if anything."""

    def to_document(self) -> SupportDocument:
        """Return JSON-compatible values."""
        return {
            "definition_version": self.definition_version,
            "speakers": self.speakers,
            "speech_seconds": self.speech_seconds,
            "sufficient": self.sufficient,
            "reason": self.reason,
            "note": self.note,
        }


def compute_support(timeline: Timeline, definition_version: str, min_speakers: int) -> Support:
    """Return the support of a score.

    Args:
        definition_version: version of the score's definition.
        min_speakers: minimum number of speakers.
    """
    seconds = timeline.speech_us(timeline.full_window) / 1e6
    speakers = len(timeline.speakers)
    reason = ""
    if speakers < min_speakers:
        reason = f"requires {min_speakers} speaker{'s' * (min_speakers > 1)}; found {speakers}"
    elif seconds < MINIMUM_SPEECH_S:
        reason = f"requires {MINIMUM_SPEECH_S:g} s of speech; found {seconds:.1f} s"
    return Support(definition_version, speakers, round(seconds, 3), not reason, reason)
