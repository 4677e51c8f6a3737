"""Diarization by an engine that reports per-frame speaker probabilities, simultaneous speech included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeakerSegment, SpeechSegment, VoiceProfiles, normalise
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples, StreamInput
from inference.speakers.emitted_turns import MIN_GROWTH_S
from inference.speakers.frame_activity import ActiveSpan, FrameActivity
from inference.stages import AudioBuffer, FinalDiarization, TurnEvent, TurnState

# A word outside every span waits this long, seconds, for a span that begins after it.
NEAREST_WITHIN_S = 1.0
# Windows averaged for a speaker's embedding, at most; shortest window worth embedding, seconds.
MAX_WINDOWS, MIN_WINDOW_S = 40, 0.4


class FramedSpeakers:
    """SpeakerStage on a FrameDiarizer. Frames are never revised, so speakers are stable at once."""

    def __init__(self, engine: ModelEngine, owner: Hashable, *, live: bool) -> None:
        """``engine``: with a diarizer; ``owner``: the session; ``live``: report turns."""
        model = engine.models.diarizer
        assert model is not None
        assert engine.diarizer is not None
        self._engine, self._owner, self._live = engine, owner, live
        self._queue, self._needed, self._frame = engine.diarizer, model.needed_samples, model.frame_samples
        self._frame_s = model.frame_samples / SAMPLE_RATE_HZ
        self._state = model.initial_state()
        self._submitted = 0  # samples passed to the model
        self._activity = FrameActivity(self._frame_s, model.max_speakers)
        self._words: dict[int, list[RecognisedWord]] = defaultdict(list)  # by span
        self._unassigned: list[RecognisedWord] = []
        self._segment_words: defaultdict[int, set[RecognisedWord]] = defaultdict(set)  # by speech segment
        self._dirty: set[int] = set()
        self._flushed = False  # no frames have come since the last flush
        self._emitted: dict[int, TurnEvent] = {}
        self._searched_frames = 0  # frames searched for windows to embed
        self._windows: dict[int, list[NDArray[np.float32]]] = defaultdict(list)  # by speaker
        self._encoded: dict[int, int] = defaultdict(int)  # samples of these windows, by speaker

    several_voices = False

    def known_through(self, processed: int) -> int:
        """Return the sample up to which the model has reported frames."""
        return min(processed, self._activity.frames * self._frame)

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Run the model up to sample ``processed``, in whole chunks; return the first sample still needed."""
        while min(processed, audio.end) - self._submitted >= (needed := self._needed(self._state)):
            await self._submit(audio.span(self._submitted, self._submitted + needed), last=False)
        await self._encode(audio)
        return min(self._submitted, self._searched_frames * self._frame)

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer) -> int:
        """Return the segment's end: frames are independent of segments."""
        return int(ongoing.end_s * SAMPLE_RATE_HZ)

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Do nothing: frames are independent of segments."""
        return

    async def flush(self, audio: AudioBuffer) -> None:
        """Do nothing: frames are never revised."""
        return

    def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """End the turns that are known; frames that follow continue them."""
        self._flushed = True
        self._dirty.update(span.number for span in self._activity.spans if not span.closed)

    def abandon_segment(self, number: int) -> None:
        """Do nothing: frames are independent of segments."""
        return

    def set_words(self, number: int, words: Sequence[RecognisedWord], *, complete: bool) -> None:
        """Replace a segment's words; ``changed_turns`` places them into spans."""
        # A segment's chunks finish in any order, and provisional words may be replaced.
        current, before = set(words), self._segment_words[number]
        if removed := before - current:
            self._remove_words(removed)
        self._unassigned += [word for word in words if word not in before]
        self._segment_words[number] = current

    def _remove_words(self, removed: set[RecognisedWord]) -> None:
        """Remove words that have been replaced."""
        self._unassigned = [word for word in self._unassigned if word not in removed]
        for number, words in self._words.items():
            kept = [word for word in words if word not in removed]
            if len(kept) < len(words):
                self._words[number] = kept
                self._dirty.add(number)

    async def changed_turns(self, words_through_s: float) -> list[TurnEvent]:
        """Return the turns to emit now; none unless live."""
        if not self._live:
            return []
        self._assign_words(float("inf") if self._flushed else self._activity.frames * self._frame_s)
        found = []
        for number in sorted(self._dirty):
            span = self._activity.spans[number]
            end_s = span.end * self._frame_s
            ended = span.closed or self._flushed
            complete = ended and end_s <= words_through_s and not self._may_get_words(span)
            turn = replace(self._turn(span, TurnState.STABLE if complete else TurnState.PARTIAL), ended=ended)
            if self._worth_emitting(turn):
                turn = replace(turn, revision=self.segment_revision(turn.segment_id) + 1)
                self._emitted[turn.segment_id] = turn
                found.append(turn)
            if complete:
                self._dirty.discard(number)
        return found

    async def finish(self, audio: AudioBuffer) -> None:
        """Run the model over the rest and embed what was left out."""
        await self.advance(audio, audio.end)
        await self._submit(audio.span(self._submitted, audio.end), last=True)
        self._dirty |= self._activity.finish()
        await self._encode(audio, rest=True)

    def conclude(self, speech: Sequence[SpeechSegment], words: Sequence[RecognisedWord]) -> FinalDiarization:
        """Place all final words; return spans by start, their words and the speakers' embeddings."""
        self._words.clear()
        self._unassigned = sorted(words, key=lambda word: (word.start_s, word.end_s))
        self._assign_words(float("inf"))
        order = sorted(self._activity.spans, key=lambda span: (span.start, span.number))
        words_by_span = {index: self._words[span.number] for index, span in enumerate(order)}
        return FinalDiarization([self._segment(span) for span in order], words_by_span, self._voices())

    async def close(self) -> None:
        """Do nothing: nothing is pending between calls."""
        return

    def segment_revision(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        emitted = self._emitted.get(segment_id)
        return emitted.revision if emitted else 0

    async def _submit(self, samples: Samples, *, last: bool) -> None:
        frames, self._state = await self._queue.submit(self._owner, StreamInput(samples.copy(), self._state, last))
        self._submitted += len(samples)
        self._flushed = False
        self._dirty |= self._activity.push(frames)

    def _assign_words(self, known_s: float) -> None:
        """Assign words to spans, up to ``known_s`` (seconds), where frames end."""
        if not self._unassigned or not self._activity.spans:
            return  # no speaker yet, hence no turn for the words
        starts = np.array([span.start for span in self._activity.spans]) * self._frame_s
        ends = np.array([span.end for span in self._activity.spans]) * self._frame_s
        waiting = []
        for word in self._unassigned:
            # Gap in seconds; 0 or less where they overlap.
            distance = np.maximum(starts - word.end_s, word.start_s - ends)
            if word.end_s > known_s or (distance.min() > 0 and word.end_s + NEAREST_WITHIN_S > known_s):
                waiting.append(word)
                continue
            overlapping = np.flatnonzero(distance <= 0)
            number = (
                int(distance.argmin())
                if not len(overlapping)
                else max(map(int, overlapping), key=self._probability_by_span(word))
            )
            self._words[number].append(word)
            self._dirty.add(number)
        self._unassigned = waiting

    def _probability_by_span(self, word: RecognisedWord) -> Callable[[int], float]:
        """Return a function from span number to the word's summed probability in it."""
        spans = self._activity.spans
        return lambda number: self._activity.summed_probability(spans[number].speaker, word.start_s, word.end_s)

    def _distance_s(self, span: ActiveSpan, word: RecognisedWord) -> float:
        return max(span.start * self._frame_s - word.end_s, word.start_s - span.end * self._frame_s)

    def _may_get_words(self, span: ActiveSpan) -> bool:
        return any(self._distance_s(span, word) <= NEAREST_WITHIN_S for word in self._unassigned)

    def _segment(self, span: ActiveSpan) -> SpeakerSegment:
        start_s, end_s = span.start * self._frame_s, span.end * self._frame_s
        return SpeakerSegment(start_s, end_s, span.speaker, span.number, 0)

    def _turn(self, span: ActiveSpan, state: TurnState) -> TurnEvent:
        segment = self._segment(span)
        words = tuple(sorted(self._words[span.number], key=lambda word: word.start_s))
        return TurnEvent(segment.segment_id, segment.speaker, segment.start_s, segment.end_s, words, state=state)

    def _worth_emitting(self, turn: TurnEvent) -> bool:
        emitted = self._emitted.get(turn.segment_id)
        if emitted is None or (emitted.state, emitted.ended, emitted.words) != (turn.state, turn.ended, turn.words):
            return True
        return turn.end_s - emitted.end_s >= MIN_GROWTH_S

    async def _encode(self, audio: AudioBuffer, *, rest: bool = False) -> None:
        """Embed single-speaker spans, up to MAX_WINDOWS a speaker; ``rest``: no more frames come."""
        window = round(self._engine.models.encoder.profile.window_s / self._frame_s)
        min_frames = round(MIN_WINDOW_S / self._frame_s)
        wanted: list[tuple[int, Samples]] = []
        through = self._activity.frames
        for speaker, start, end in self._activity.single_speaker_spans(self._searched_frames):
            ongoing = end == self._activity.frames and not rest
            if ongoing and end - start < window:
                through = start  # searched again when it is longer
                break
            spans = [(first, first + window) for first in range(start, end - window + 1, window)]
            if not spans and not self._windows[speaker] and end - start >= min_frames:
                spans = [(start, end)]
            for first, last in spans[: max(0, MAX_WINDOWS - len(self._windows[speaker]))]:
                wanted.append((speaker, audio.span(first * self._frame, last * self._frame).copy()))
        self._searched_frames = through
        if wanted:
            vectors = await self._engine.encode(self._owner, [samples for _, samples in wanted])
            for (speaker, samples), vector in zip(wanted, vectors, strict=True):
                self._windows[speaker].append(vector)
                self._encoded[speaker] += len(samples)

    def _voices(self) -> VoiceProfiles:
        speakers = max((span.speaker for span in self._activity.spans), default=0)
        found = np.zeros((speakers, self._engine.models.encoder.profile.dimension), np.float32)
        seconds = np.array([self._encoded[number] / SAMPLE_RATE_HZ for number in range(1, speakers + 1)], np.float32)
        for number in range(1, speakers + 1):
            if self._windows[number]:
                found[number - 1] = np.mean(self._windows[number], axis=0)
        return VoiceProfiles(normalise(found), seconds)
