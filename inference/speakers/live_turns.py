"""The turns of a session while it goes on: every change is said once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import PIECES_PER_SPEECH, HeardVoices, OnlineSpeakers, SpeakerSegment, SpeechSegment, Window
from inference.models import EncoderProfile, RecognisedWord
from inference.speakers.beside_voices import BesideVoices
from inference.speakers.said_words import words_by_segment
from inference.stages import TurnEvent, TurnState

# A turn that only grows is said again after so much speech.
GROWTH_S = 1.0
# The recogniser's pieces and the turns are cut in the same pauses, but seldom at the same sample: a word that begins so
# close to the end of a turn is taken to be the next one's. Where it is not, the turn is said again with it.
BORDER_S = 0.2


@dataclass(slots=True)
class _Speech:
    """What is known of one speech segment."""

    segment: SpeechSegment
    closed: bool
    words: list[RecognisedWord]
    complete: bool
    """All its words are there."""


class LiveTurns:
    """Turns with provisional speakers. Segments are named as at the end of the session."""

    def __init__(self, profile: EncoderProfile, expected: int | None, heard: HeardVoices | None) -> None:
        """``heard``: the voices of windows, where they are told apart."""
        self._beside_voices = BesideVoices(heard) if heard is not None else None
        self._others: dict[int, list[SpeakerSegment]] = {}  # who speaks beside others, by speech segment
        self._unheard: set[int] = set()  # segments of which that is to be looked at
        self._online = OnlineSpeakers(profile, expected)
        self._speech: dict[int, _Speech] = {}
        self._windows: dict[int, list[tuple[float, NDArray[np.float32]]]] = defaultdict(list)
        self._first_look: dict[int, tuple[float, NDArray[np.float32]]] = {}
        self._said: dict[int, TurnEvent] = {}
        self._pieces: defaultdict[int, set[int]] = defaultdict(set)  # turns said of each speech segment, by their ids
        self._dirty: set[int] = set()
        self._looked_at_s: dict[int, float] = {}  # where a segment ended when it was last looked at

    def hear(self, windows: Sequence[Window], vectors: NDArray[np.float32]) -> None:
        """Takes the next windows with their vectors, shape (n, d)."""
        self._online.hear(vectors)
        for window, vector in zip(windows, vectors, strict=True):
            self._windows[window.segment].append((window.middle_s, vector))
            if self._beside_voices is not None:
                self._beside_voices.hear(window.middle_s, vector)
            self._dirty.add(window.segment)

    def wants_first_look(self, number: int) -> bool:
        """True while nothing is known of who speaks in a segment."""
        return number not in self._windows and number not in self._first_look

    def look(self, number: int, middle_s: float, vector: NDArray[np.float32]) -> None:
        """A first idea of who speaks in a segment too short yet for a window of its own."""
        self._first_look[number] = (middle_s, vector)
        self._dirty.add(number)

    def follow(self, number: int, segment: SpeechSegment) -> None:
        """The segment is under way and has come so far."""
        self._know(number, segment, closed=False)

    def close(self, number: int, segment: SpeechSegment) -> None:
        """The segment has ended."""
        self._know(number, segment, closed=True)

    def _know(self, number: int, segment: SpeechSegment, *, closed: bool) -> None:
        known = self._speech.get(number)
        self._speech[number] = _Speech(segment, closed, known.words if known else [], complete=False)
        # One that only grows is looked at when there may be something to say.
        if closed or known is None or segment.end_s - self._looked_at_s.get(number, 0.0) >= GROWTH_S:
            self._looked_at_s[number] = segment.end_s
            self._dirty.add(number)

    def take_words(self, number: int, words: list[RecognisedWord], *, complete: bool) -> None:
        """The words of a segment so far; ``complete``: no more will come of what was heard of it."""
        if number in self._speech:
            known = self._speech[number]
            known.words, known.complete = words, complete and known.closed
            self._dirty.add(number)

    def abandon(self, number: int) -> None:
        """What seemed to be a segment was none."""
        self._speech.pop(number, None)
        self._first_look.pop(number, None)
        self._looked_at_s.pop(number, None)
        self._dirty.add(number)

    @property
    def due(self) -> bool:
        """True when everything should be clustered anew."""
        return self._online.due

    def recluster(self, vectors: NDArray[np.float32], alone: NDArray[np.float32] | None = None) -> None:
        """Clusters all windows so far (n, d) and looks at every segment again; ``alone``: see ``cluster_speakers``."""
        before = set(self._online.labels)
        self._online.recluster(vectors, alone)
        self._dirty.update(self._speech)
        if set(self._online.labels) != before:
            # A voice that is known only now may have spoken beside others before.
            self._unheard.update(self._speech)

    @property
    def voices(self) -> int:
        """How many voices are told apart now."""
        return self._online.voices

    def revision_of(self, segment_id: int) -> int:
        """The last revision said of a segment; 0: none."""
        said = self._said.get(segment_id)
        return said.revision if said else 0

    def changes(self, words_through_s: float) -> list[TurnEvent]:
        """What is to be said now, in the order of time; every word before ``words_through_s`` (seconds) was taken."""
        found: list[TurnEvent] = []
        self._look_at_new_voices()
        for number in sorted(self._dirty):
            now = self._turns(number, words_through_s)
            for turn in now:
                if self._worth_saying(turn):
                    found.append(self._say(turn))
            for segment_id in sorted(self._pieces[number] - {turn.segment_id for turn in now}):
                gone = self._said[segment_id]
                if gone.state is not TurnState.RETRACTED:
                    found.append(self._say(replace(gone, state=TurnState.RETRACTED, words=())))
            self._pieces[number].update(turn.segment_id for turn in now)
        self._dirty.clear()
        return found

    def _turns(self, number: int, words_through_s: float) -> list[TurnEvent]:
        known = self._speech.get(number)
        if known is None:
            return []
        pieces = self._split(number, known.segment)
        said = words_by_segment(pieces, known.words)
        floor = sum(not piece.beside for piece in pieces)
        found = []
        for i, piece in enumerate(pieces):
            # Another has the floor: the turn has ended, though the speech goes on.
            ended = piece.beside or (i < floor - 1 and piece.end_s <= words_through_s + BORDER_S)
            state = TurnState.STABLE if known.complete or ended else TurnState.PARTIAL
            found.append(
                TurnEvent(piece.segment_id, piece.speaker, piece.start_s, piece.end_s, tuple(said[i]), state=state)
            )
        return found

    def _split(self, number: int, segment: SpeechSegment) -> list[SpeakerSegment]:
        windows = self._windows.get(number) or [self._first_look[number]] if self._knows_voice(number) else []
        if not windows or not self._online.voices:
            return [SpeakerSegment(segment.start_s, segment.end_s, 0, number, 0)]
        middles = np.array([middle for middle, _ in windows])
        floor = self._online.pieces(number, segment, middles, np.stack([vector for _, vector in windows]))
        return floor + self._beside(number, segment, floor)

    def _look_at_new_voices(self) -> None:
        """Looks again at segments over which voices have been heard since."""
        if self._beside_voices is not None:
            since_s = self._beside_voices.new_since_s()
            fresh = {number for number, known in self._speech.items() if known.segment.end_s > since_s}
            self._unheard |= fresh
            self._dirty |= fresh

    def _beside(self, number: int, segment: SpeechSegment, floor: list[SpeakerSegment]) -> list[SpeakerSegment]:
        """Who speaks beside those who have the floor, as far as voices have been heard."""
        if self._beside_voices is None:
            return []
        if number in self._unheard:
            self._unheard.discard(number)
            self._others[number] = self._beside_voices.of(number, segment, floor, self._online)
        return [piece for piece in self._others.get(number, ()) if not any(_same(piece, own) for own in floor)]

    def _knows_voice(self, number: int) -> bool:
        return number in self._windows or number in self._first_look

    def _worth_saying(self, turn: TurnEvent) -> bool:
        said = self._said.get(turn.segment_id)
        if said is None or (said.speaker, said.state, said.words) != (turn.speaker, turn.state, turn.words):
            return True
        if turn.state is not TurnState.PARTIAL or self._speech[turn.segment_id // PIECES_PER_SPEECH].closed:
            return (said.start_s, said.end_s) != (turn.start_s, turn.end_s)
        return said.start_s != turn.start_s or abs(turn.end_s - said.end_s) >= GROWTH_S

    def _say(self, turn: TurnEvent) -> TurnEvent:
        turn = replace(turn, revision=self.revision_of(turn.segment_id) + 1)
        self._said[turn.segment_id] = turn
        return turn


def _same(one: SpeakerSegment, other: SpeakerSegment) -> bool:
    """Whether one speaker is said to speak twice at once."""
    return one.speaker == other.speaker and one.start_s < other.end_s and other.start_s < one.end_s
