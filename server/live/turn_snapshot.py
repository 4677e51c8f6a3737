"""The current state of one turn of a live meeting, as the engine has it."""

from __future__ import annotations

from dataclasses import dataclass

from server.conversation import Segment, TurnState, Word


@dataclass(frozen=True, slots=True)
class TurnSnapshot:
    """The current state of an engine's turn; ``speaker`` is meeting-wide, UNKNOWN_SPEAKER (0) while unknown."""

    segment_id: int
    """The engine's number, meeting-wide; clients know the turn by an id of its own (``SegmentIds``)."""
    track: int
    state: TurnState
    speaker: int
    start_us: int
    end_us: int
    words: tuple[Word, ...]
    language: str = ""
    """BCP 47 primary tag of the words; empty without words or where it is unknown."""
    ended: bool = False
    """Whether the engine says that the speech has ended, though its words may still come."""

    @property
    def is_restored(self) -> bool:
        """Whether it is what clients have, from before a restart: its number is no engine's."""
        return self.segment_id < 0

    @property
    def has_ended(self) -> bool:
        """Whether the speech has ended, as far as is known."""
        return self.ended or self.state in (TurnState.STABLE, TurnState.FINAL)

    def segment(self) -> Segment:
        """Return the turn as a domain segment."""
        return Segment(self.segment_id, self.speaker, self.start_us, self.end_us, self.words, language=self.language)
