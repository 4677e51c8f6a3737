"""The turns of one live track without what it carries for somebody who has a track of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.conversation import (
    FRAME_US,
    Heard,
    TurnState,
    meeting_segment_id,
    own_parts,
    part_id,
    segment_track_index,
    shift_word,
)
from server.live.turn_snapshot import TurnSnapshot

# Later than any moment of a meeting.
EVERYTHING_US = 2**62


class CopiedTurns:
    """The turns of one track, of which the copies of other tracks are left out."""

    def __init__(self, start_us: int, track_count: int = 1, *, compared: bool = False, held: bool = False) -> None:
        """
        Args:
            start_us: start of the track, microseconds from the start of the meeting.
            track_count: number of tracks that the meeting may have.
            compared: whether there is any track that it may copy.
            held: whether turns wait for the judgement: most of what a mix carries beside its participants is copied.
                Others are shown, and taken back if they are copies.
        """
        self._start_us, self._track_count, self._held = start_us, track_count, held
        self.compared = compared
        """Whether there is any track that it may copy."""
        self.frames = bytearray()
        """``Heard`` of each frame judged so far."""
        self._idle = False
        self._waiting: dict[int, TurnSnapshot] = {}
        """Turns whose end has not been judged yet, as the engine told them."""
        self._shown: dict[int, dict[int, TurnSnapshot]] = {}
        """The parts shown of each turn, by their ids."""

    def begin_comparing(self, frames: int, *, held: bool) -> None:
        """Compare the track from now on: there is a track that it may copy.

        Args:
            frames: so many from the track's start are its own.
            held: as in the constructor.
        """
        self.compared, self._held = True, held
        self.frames += bytes([Heard.OWN]) * frames

    @property
    def shown_through_us(self) -> int:
        """Moment of the meeting before which no turn is held until it is judged, microseconds."""
        return self.judged_through_us if self._held else EVERYTHING_US

    @property
    def _frames_end_us(self) -> int:
        return self._start_us + len(self.frames) * FRAME_US

    @property
    def copied_s(self) -> float:
        """Length of what is copied so far, seconds."""
        return self.frames.count(Heard.COPY) * FRAME_US / 1e6

    @property
    def judged_through_us(self) -> int:
        """Moment of the meeting up to which this judgement will change no turn, microseconds."""
        return EVERYTHING_US if self._idle or not self.compared else self._frames_end_us

    def restart(self, first_us: int = -EVERYTHING_US) -> None:
        """Forget the turns that begin at ``first_us``, in meeting time, or later: a new engine tells them again."""
        self._waiting = {id_: turn for id_, turn in self._waiting.items() if turn.start_us < first_us}

    def pass_on(self, turn: TurnSnapshot) -> list[TurnSnapshot]:
        """Return what to publish of a turn that the engine has told: its own parts, and those that no longer are."""
        if not self.compared:
            self._shown[turn.segment_id] = {} if turn.state == TurnState.RETRACTED else {turn.segment_id: turn}
            return [turn]
        self._waiting.pop(turn.segment_id, None)
        parts: list[TurnSnapshot] = []
        if turn.state != TurnState.RETRACTED:
            if turn.end_us > self._frames_end_us:
                self._waiting[turn.segment_id] = turn
                if self._held and not self._idle and turn.start_us >= self._frames_end_us:
                    return []
            parts = self._own_parts(turn)
        shown = {part.segment_id: part for part in parts}
        gone = [part for id_, part in self._shown.get(turn.segment_id, {}).items() if id_ not in shown]
        self._shown[turn.segment_id] = shown
        return [*(replace(part, state=TurnState.RETRACTED, words=()) for part in gone), *parts]

    def _own_parts(self, turn: TurnSnapshot) -> list[TurnSnapshot]:
        words = tuple(shift_word(word, -self._start_us) for word in turn.words)
        parts = own_parts(turn.start_us - self._start_us, turn.end_us - self._start_us, words, self.frames)
        track = segment_track_index(turn.segment_id, self._track_count)
        own_id = (turn.segment_id - track) // self._track_count
        return [
            replace(
                turn,
                segment_id=meeting_segment_id(part_id(own_id, number), track, self._track_count),
                start_us=start_us + self._start_us,
                end_us=end_us + self._start_us,
                words=tuple(shift_word(word, self._start_us) for word in own_words),
            )
            for number, (start_us, end_us, own_words) in enumerate(parts)
        ]

    def judged(self, frames: Sequence[int], *, idle: bool) -> list[TurnSnapshot]:
        """Take the next frames' judgement, and return what to publish of the turns that waited for it.

        Args:
            frames: ``Heard`` of the frames after those judged before.
            idle: whether no audio comes any more, for now.
        """
        if not frames and idle == self._idle:
            return []
        self.frames += bytes(frames)
        self._idle = idle
        return [shown for turn in list(self._waiting.values()) for shown in self.pass_on(turn)]
