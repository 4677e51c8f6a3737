"""The current state of one turn of a live meeting."""

from __future__ import annotations

from dataclasses import dataclass

from server.conversation import Segment, TurnState, Word


@dataclass(frozen=True, slots=True)
class TurnSnapshot:
    """The current state of a segment; ``speaker`` is the meeting-wide number, UNKNOWN_SPEAKER (0) while unknown."""

    segment_id: int
    track: int
    state: TurnState
    speaker: int
    start_us: int
    end_us: int
    words: tuple[Word, ...]
    language: str = ""
    """BCP 47 primary tag of the words; empty without words or where it is unknown."""

    def segment(self) -> Segment:
        """Return the turn as a domain segment."""
        return Segment(self.segment_id, self.speaker, self.start_us, self.end_us, self.words, language=self.language)
