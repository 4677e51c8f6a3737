"""The turns of a live session: each change is emitted once."""

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

# A turn that only grows is emitted again after this much more speech.
GROWTH_S = 1.0
# Recogniser chunks and turns are cut in the same pauses, but seldom at the same sample: a word that begins this close
# to a turn's end is taken to belong to the next turn. If it does not, the turn is emitted again with it.
BORDER_S = 0.2


@dataclass(slots=True)
class _Speech:
    """State of one speech segment."""

    segment: SpeechSegment
    closed: bool
    words: list[RecognisedWord]
    complete: bool
    """All its words have arrived."""


class LiveTurns:
    """Turns with provisional speakers. Segment ids are those of the session's end."""

    def __init__(self, profile: EncoderProfile, expected: int | None, heard: HeardVoices | None) -> None:
        """
        Args:
            profile: the speaker encoder's thresholds.
            expected: number of speakers; None where unknown.
            heard: the session's voice windows; None without a segmenter.
        """
        self._beside_voices = BesideVoices(heard) if heard is not None else None
        self._others: dict[int, list[SpeakerSegment]] = {}  # simultaneous speech, by speech segment
        self._unheard: set[int] = set()  # segments whose simultaneous speech is to be determined
        self._online = OnlineSpeakers(profile, expected)
        self._speech: dict[int, _Speech] = {}
        self._windows: dict[int, list[tuple[float, NDArray[np.float32]]]] = defaultdict(list)
        self._first_look: dict[int, tuple[float, NDArray[np.float32]]] = {}
        self._said: dict[int, TurnEvent] = {}
        self._pieces: defaultdict[int, set[int]] = defaultdict(set)  # ids of emitted turns, by speech segment
        self._dirty: set[int] = set()
        self._looked_at_s: dict[int, float] = {}  # a segment's end when it was last marked as changed

    def hear(self, windows: Sequence[Window], vectors: NDArray[np.float32]) -> None:
        """Add the next windows with their embeddings, shape (n, d)."""
        self._online.hear(vectors)
        for window, vector in zip(windows, vectors, strict=True):
            self._windows[window.segment].append((window.middle_s, vector))
            if self._beside_voices is not None:
                self._beside_voices.hear(window.middle_s, vector)
            self._dirty.add(window.segment)

    def wants_first_look(self, number: int) -> bool:
        """Return whether a segment has no embedding yet."""
        return number not in self._windows and number not in self._first_look

    def look(self, number: int, middle_s: float, vector: NDArray[np.float32]) -> None:
        """Add a first embedding, shape (d,), of a segment still too short for a window."""
        self._first_look[number] = (middle_s, vector)
        self._dirty.add(number)

    def follow(self, number: int, segment: SpeechSegment) -> None:
        """Update an ongoing segment."""
        self._know(number, segment, closed=False)

    def close(self, number: int, segment: SpeechSegment) -> None:
        """Update a segment that has ended."""
        self._know(number, segment, closed=True)

    def _know(self, number: int, segment: SpeechSegment, *, closed: bool) -> None:
        known = self._speech.get(number)
        self._speech[number] = _Speech(segment, closed, known.words if known else [], complete=False)
        # A segment that only grows is marked as changed once its turn may be worth emitting.
        if closed or known is None or segment.end_s - self._looked_at_s.get(number, 0.0) >= GROWTH_S:
            self._looked_at_s[number] = segment.end_s
            self._dirty.add(number)

    def take_words(self, number: int, words: list[RecognisedWord], *, complete: bool) -> None:
        """Replace the words of a segment; ``complete``: no more come for its audio so far."""
        if number in self._speech:
            known = self._speech[number]
            known.words, known.complete = words, complete and known.closed
            self._dirty.add(number)

    def abandon(self, number: int) -> None:
        """Discard a segment that was too short to be speech."""
        self._speech.pop(number, None)
        self._first_look.pop(number, None)
        self._looked_at_s.pop(number, None)
        self._dirty.add(number)

    @property
    def due(self) -> bool:
        """True when everything should be clustered anew."""
        return self._online.due

    def recluster(self, vectors: NDArray[np.float32], alone: NDArray[np.float32] | None = None) -> None:
        """Cluster all windows so far and mark every segment as changed.

        Args:
            vectors: embeddings of shape (n, d).
            alone: see ``cluster_speakers``.
        """
        before = set(self._online.labels)
        self._online.recluster(vectors, alone)
        self._dirty.update(self._speech)
        if set(self._online.labels) != before:
            # A newly found voice may have spoken beside others earlier.
            self._unheard.update(self._speech)

    @property
    def voices(self) -> int:
        """Number of voices told apart now."""
        return self._online.voices

    def revision_of(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        said = self._said.get(segment_id)
        return said.revision if said else 0

    def changes(self, words_through_s: float) -> list[TurnEvent]:
        """Return the turns to emit now, by segment; all words before ``words_through_s`` (seconds) were passed in."""
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
            # Somebody else has the floor: the turn has ended, though the segment continues.
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
        """Mark segments as changed that new voice windows reach."""
        if self._beside_voices is not None:
            since_s = self._beside_voices.new_since_s()
            fresh = {number for number, known in self._speech.items() if known.segment.end_s > since_s}
            self._unheard |= fresh
            self._dirty |= fresh

    def _beside(self, number: int, segment: SpeechSegment, floor: list[SpeakerSegment]) -> list[SpeakerSegment]:
        """Return who speaks beside the speakers of ``floor``, as far as voice windows reach."""
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
    """Return whether both are of one speaker and overlap."""
    return one.speaker == other.speaker and one.start_s < other.end_s and other.start_s < one.end_s
