"""The turns of a live session: each change is emitted once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.diarization import (
    EncoderWindow,
    OnlineSpeakers,
    SegmentedWindows,
    SpeakerSegment,
    SpeechSegment,
)
from inference.models import EncoderProfile, RecognisedWord
from inference.speakers.detected_speech import FIRST_NUMBER, LOOK_BACK_S, DetectedSpeech
from inference.speakers.emitted_turns import MIN_GROWTH_S, EmittedTurns
from inference.speakers.overlapping_voices import OverlappingVoices
from inference.speakers.speaker_numbers import SpeakerNumbers
from inference.speakers.word_attribution import words_by_segment
from inference.stages import TurnEvent, TurnState

# While voice windows over it are still to come, a turn is stable if its speaker is so much closer than any other, in
# cosine (docs/accuracy.md).
SURE_MARGIN = 0.3
# A flushed segment goes on once it reaches this much further: the end of the detector's last window is no speech.
CONTINUED_S = 0.2
# Recogniser chunks and turns are cut in the same pauses, but seldom at the same sample: a word that begins this close
# to a turn's end is taken to belong to the next turn. If it does not, the turn is emitted again with it.
WORD_BORDER_S = 0.2


@dataclass(slots=True)
class _SegmentState:
    """State of one speech segment."""

    segment: SpeechSegment
    closed: bool
    words: list[RecognisedWord]
    complete: bool
    """All its words have arrived."""


@dataclass(frozen=True, slots=True)
class _Floor:
    """Who has the floor in a speech segment, as it was split last."""

    known: tuple[SpeechSegment, int, int, int]
    """What was known: the segment, the numbers of its windows, of clusterings and of voice windows over it."""
    spans: list[SpeakerSegment]
    """By time, ``speaker`` by label."""


class TurnTracker:
    """Turns with provisional speakers. Segment ids are those of the session's end."""

    def __init__(self, profile: EncoderProfile, expected: int | None, segmented: SegmentedWindows | None) -> None:
        """
        Args:
            profile: the speaker encoder's thresholds.
            expected: number of speakers; None where unknown.
            segmented: the session's voice windows; None without a segmenter.
        """
        self._overlapping_voices = OverlappingVoices(segmented) if segmented is not None else None
        self._detected = DetectedSpeech(segmented) if segmented is not None else None
        self._overlaps: dict[int, list[SpeakerSegment]] = {}  # simultaneous speech, by speech segment
        self._outdated_overlaps: set[int] = set()  # segments whose simultaneous speech is to be determined
        self._online = OnlineSpeakers(profile, expected)
        self._numbers = SpeakerNumbers()
        self._clusterings = 0
        self._floors: dict[int, _Floor] = {}  # by speech segment
        self._speech: dict[int, _SegmentState] = {}
        self._windows: dict[int, list[tuple[float, NDArray[np.float32]]]] = defaultdict(list)
        self._first_embedding: dict[int, tuple[float, NDArray[np.float32]]] = {}
        self._emitted = EmittedTurns()
        self._dirty: set[int] = set()
        self._told_through_s = 0.0  # a flush asked for all that was known up to here
        self._flushed_end_s: dict[int, float] = {}  # where a segment that may go on was taken as ended
        # Segments that ended where a flush had ended them: their turns stay ended while embeddings are still computed.
        self._ended_by_flush: set[int] = set()
        self._marked_end_s: dict[int, float] = {}  # a segment's end when it was last marked as changed

    def add_windows(self, windows: Sequence[EncoderWindow], vectors: NDArray[np.float32]) -> None:
        """Add the next windows with their embeddings, shape (n, d)."""
        self._online.assign(vectors)
        self._number_voices()
        for window, vector in zip(windows, vectors, strict=True):
            self._windows[window.segment].append((window.middle_s, vector))
            if self._overlapping_voices is not None:
                self._overlapping_voices.add_window(window.middle_s, vector)
            self._dirty.add(window.segment)

    def add_first_embedding(self, number: int, middle_s: float, vector: NDArray[np.float32]) -> None:
        """Add a first embedding, shape (d,), of a segment still too short for a window."""
        self._first_embedding[number] = (middle_s, vector)
        self._dirty.add(number)

    def extend_segment(self, number: int, segment: SpeechSegment) -> None:
        """Update an ongoing segment; one that was flushed stays ended until speech continues it."""
        if segment.end_s <= self._flushed_end_s.get(number, 0.0) + CONTINUED_S:
            return
        self._flushed_end_s.pop(number, None)
        self._update(number, segment, closed=False)

    def flush(self, end_s: float) -> None:
        """Take what is known of all audio, which ends at ``end_s`` (seconds), as settled."""
        waiting_s = self._overlapping_voices.settled_s if self._overlapping_voices else end_s
        self._dirty.update(number for number, known in self._speech.items() if known.segment.end_s > waiting_s)
        self._told_through_s = end_s

    def flush_segment(self, number: int, segment: SpeechSegment) -> None:
        """Take a segment that may go on as ended."""
        self._update(number, segment, closed=True)
        self._flushed_end_s[number] = segment.end_s

    def close_segment(self, number: int, segment: SpeechSegment) -> None:
        """Update a segment that has ended."""
        if segment.end_s <= self._flushed_end_s.pop(number, 0.0) + CONTINUED_S:
            self._ended_by_flush.add(number)
        self._update(number, segment, closed=True)

    def _update(self, number: int, segment: SpeechSegment, *, closed: bool) -> None:
        known = self._speech.get(number)
        self._speech[number] = _SegmentState(segment, closed, known.words if known else [], complete=False)
        # A segment that only grows is marked as changed once its turn may be worth emitting.
        if closed or known is None or segment.end_s - self._marked_end_s.get(number, 0.0) >= MIN_GROWTH_S:
            self._marked_end_s[number] = segment.end_s
            self._dirty.add(number)

    def set_words(self, number: int, words: list[RecognisedWord], *, complete: bool) -> None:
        """Replace the words of a segment; ``complete``: no more come for its audio so far."""
        if number in self._speech:
            known = self._speech[number]
            known.words, known.complete = words, complete and known.closed
            self._dirty.add(number)

    def abandon_segment(self, number: int) -> None:
        """Discard a segment that was too short to be speech."""
        self._speech.pop(number, None)
        self._first_embedding.pop(number, None)
        self._marked_end_s.pop(number, None)
        self._floors.pop(number, None)
        self._flushed_end_s.pop(number, None)
        self._dirty.add(number)

    @property
    def recluster_due(self) -> bool:
        """True when everything should be clustered anew."""
        return self._online.recluster_due

    def recluster(self, vectors: NDArray[np.float32], alone: NDArray[np.float32] | None = None) -> None:
        """Cluster all windows so far and mark every segment as changed.

        Args:
            vectors: embeddings of shape (n, d).
            alone: see ``cluster_speakers``.
        """
        before = set(self._online.labels)
        self._online.recluster(vectors, alone)
        self._clusterings += 1
        self._number_voices()
        self._dirty.update(self._speech)
        there = set(self._online.labels)
        # Whoever was found beside others stays so. A newly found voice may have spoken where nobody was.
        self._outdated_overlaps.update(
            number
            for number, spans in self._overlaps.items()
            if any(span.speaker not in there for span in spans) or (not spans and there - before)
        )

    def _number_voices(self) -> None:
        """Give numbers to voices that have become sure, and mark every segment in which one of them speaks."""
        for label in self._numbers.update(self._online.speech_s):
            self._dirty.update(
                number for number, floor in self._floors.items() if any(span.speaker == label for span in floor.spans)
            )

    @property
    def voices(self) -> int:
        """Number of voices told apart now."""
        return self._online.voices

    def segment_revision(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        return self._emitted.revision(segment_id)

    def changed_turns(self, words_through_s: float, unsettled: Collection[int] = ()) -> list[TurnEvent]:
        """Return the turns to emit now, by segment.

        Args:
            words_through_s: all words before this moment, seconds, were passed in.
            unsettled: numbers of segments with embeddings still to come: not stable yet.
        """
        found: list[TurnEvent] = []
        self._mark_new_overlaps()
        for number in sorted(self._dirty):
            settled = number not in unsettled or number in self._ended_by_flush
            turns = self._turns(number, words_through_s, settled=settled)
            found += self._emitted.update(number, turns, closed=bool(turns) and self._speech[number].closed)
        self._dirty.clear()
        return found

    def _turns(self, number: int, words_through_s: float, *, settled: bool) -> list[TurnEvent]:
        known = self._speech.get(number)
        if known is None:
            return []
        segment = self._detected.join(number, known.segment) if self._detected else known.segment
        spans = self._numbers.apply(self._split(number, segment))
        words = words_by_segment(spans, known.words)
        floor = sum(not span.overlapping for span in spans)
        found = []
        for i, span in enumerate(spans):
            # Somebody else has the floor: the turn has ended, though the segment continues.
            passed_on = span.overlapping or i < floor - 1
            complete = span.overlapping or (passed_on and span.end_s <= words_through_s + WORD_BORDER_S)
            stable = ((known.complete and settled) or complete) and self._is_sure(number, span)
            state = TurnState.STABLE if stable else TurnState.PARTIAL
            found.append(
                TurnEvent(
                    span.segment_id,
                    span.speaker,
                    span.start_s,
                    span.end_s,
                    tuple(words[i]),
                    state=state,
                    ended=passed_on or (known.closed and settled),
                )
            )
        return found

    def _split(self, number: int, segment: SpeechSegment) -> list[SpeakerSegment]:
        windows = self._windows_of(number, segment)
        if windows is None or not self._online.voices:
            return [SpeakerSegment(segment.start_s, segment.end_s, 0, number, 0)]
        told = self._floors.get(number)
        beside = self._overlapping_voices
        reach = beside.windows_over(segment) if beside else 0
        known = (segment, len(self._windows.get(number, ())), self._clusterings, reach)
        if told is None or told.known != known:
            # Voices move with every window; speech that is over waits for the next clustering.
            activity = beside.activity(segment, self._online) if beside and reach else None
            bonus = beside.floor_bonus(segment, activity) if beside and activity else None
            spans = self._online.split(number, segment, *windows, told.spans if told else (), bonus)
            self._floors[number] = told = _Floor(known, spans)
        return told.spans + self._overlapping(number, segment, told.spans)

    def _is_sure(self, number: int, span: SpeakerSegment) -> bool:
        """Return whether it is settled who speaks in a span, as far as a live session can."""
        beside = self._overlapping_voices
        if beside is None or span.end_s <= max(beside.settled_s, self._told_through_s + CONTINUED_S):
            return True
        if self._emitted.is_stable(span.segment_id, span.speaker, span.end_s):
            return True
        label = self._numbers.label(span.speaker)
        if span.overlapping or span.end_s > beside.reaches_s or label is None or not self._numbers.are_settled:
            return False
        own = [vector for middle, vector in self._windows.get(number, ()) if span.start_s <= middle <= span.end_s]
        return bool(own) and self._online.margin(label, np.stack(own)) >= SURE_MARGIN

    def _windows_of(
        self, number: int, segment: SpeechSegment
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]] | None:
        """Return middles (seconds) and embeddings of the windows that tell who speaks in a segment; None: none."""
        if number >= FIRST_NUMBER:
            assert self._overlapping_voices is not None
            return self._overlapping_voices.nearby(segment)
        windows = self._windows.get(number) or [self._first_embedding[number]] if self._has_embedding(number) else []
        if not windows:
            return None
        return np.array([middle for middle, _ in windows]), np.stack([vector for _, vector in windows])

    def _mark_new_overlaps(self) -> None:
        """Mark segments as changed that new voice windows reach, and find speech in these that the detector missed."""
        beside, detected = self._overlapping_voices, self._detected
        if beside is None or detected is None or (new_s := beside.new_since_s()) == float("inf"):
            return
        since_s = new_s - LOOK_BACK_S
        recent = {number: known.segment for number, known in sorted(self._speech.items())}
        recent = {number: own for number, own in recent.items() if detected.join(number, own).end_s > since_s}
        own = {number: segment for number, segment in recent.items() if number < FIRST_NUMBER}
        found, gone = detected.update(since_s, beside.reaches_s, own, ended=beside.is_preview)
        for number, segment in found.items():
            self._speech[number] = _SegmentState(segment, closed=True, words=[], complete=True)
        for number in gone:
            self.abandon_segment(number)
        self._outdated_overlaps |= {*recent, *found}
        self._dirty |= {*recent, *found}

    def _overlapping(self, number: int, segment: SpeechSegment, floor: list[SpeakerSegment]) -> list[SpeakerSegment]:
        """Return who speaks beside the speakers of ``floor``, as far as voice windows reach."""
        if self._overlapping_voices is None:
            return []
        found = self._overlaps.get(number, [])
        if number in self._outdated_overlaps or any(_same_speech(span, own) for span in found for own in floor):
            self._outdated_overlaps.discard(number)
            found = self._overlaps[number] = self._overlapping_voices.find(number, segment, floor, self._online)
        return [span for span in found if not any(_same_speech(span, own) for own in floor)]

    def _has_embedding(self, number: int) -> bool:
        return number in self._windows or number in self._first_embedding


def _same_speech(first: SpeakerSegment, second: SpeakerSegment) -> bool:
    """Return whether both are of one speaker and overlap."""
    return first.speaker == second.speaker and first.start_s < second.end_s and second.start_s < first.end_s
