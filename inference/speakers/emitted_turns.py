"""Turns of a live session as they were emitted: each change is emitted once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from inference.models import RecognisedWord
from inference.stages import TurnEvent, TurnState

# A turn that only grows is emitted again after this much more speech.
MIN_GROWTH_S = 1.0


class EmittedTurns:
    """What was emitted of each turn last, by segment id."""

    def __init__(self) -> None:
        self._emitted: dict[int, TurnEvent] = {}
        self._ids: defaultdict[int, set[int]] = defaultdict(set)  # of emitted turns, by speech segment

    def revision(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        emitted = self._emitted.get(segment_id)
        return emitted.revision if emitted else 0

    def is_stable(self, segment_id: int, speaker: int, end_s: float) -> bool:
        """Return whether a segment was emitted as stable, with this speaker and this end (seconds)."""
        emitted = self._emitted.get(segment_id)
        if emitted is None or emitted.state is not TurnState.STABLE:
            return False
        return (emitted.speaker, emitted.end_s) == (speaker, end_s)

    def update(self, number: int, turns: Sequence[TurnEvent], *, closed: bool) -> list[TurnEvent]:
        """Return what to emit of a speech segment: turns that changed, and retractions of those that are gone.

        Args:
            number: the speech segment's number.
            turns: all its turns now.
            closed: the speech segment has ended.
        """
        found = [self._emit(turn) for turn in turns if self._is_worth_emitting(turn, closed=closed)]
        current = {turn.segment_id for turn in turns}
        for segment_id in sorted(self._ids[number] - current):
            retracted = self._emitted[segment_id]
            if retracted.state is not TurnState.RETRACTED:
                found.append(self._emit(replace(retracted, state=TurnState.RETRACTED, words=())))
        self._ids[number].update(current)
        return found

    def _is_worth_emitting(self, turn: TurnEvent, *, closed: bool) -> bool:
        emitted = self._emitted.get(turn.segment_id)
        if emitted is None or _told(emitted) != _told(turn):
            return True
        if turn.state is not TurnState.PARTIAL or closed:
            return (emitted.start_s, emitted.end_s) != (turn.start_s, turn.end_s)
        return emitted.start_s != turn.start_s or abs(turn.end_s - emitted.end_s) >= MIN_GROWTH_S

    def _emit(self, turn: TurnEvent) -> TurnEvent:
        turn = replace(turn, revision=self.revision(turn.segment_id) + 1)
        self._emitted[turn.segment_id] = turn
        return turn


def _told(turn: TurnEvent) -> tuple[int, TurnState, bool, tuple[RecognisedWord, ...]]:
    """Return what is worth telling of a turn whenever it changes."""
    return turn.speaker, turn.state, turn.ended, turn.words
