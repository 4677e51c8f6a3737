"""Diarization by an engine that reports per-frame speaker probabilities, simultaneous speech included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.diarization import SpeakerSegment, SpeechSegment, VoiceProfiles, unit
from inference.engine import Engine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples, Stretch
from inference.speakers.frame_activity import Activity, FrameActivity
from inference.speakers.live_turns import GROWTH_S
from inference.stages import AudioBuffer, SettledSpeakers, TurnEvent, TurnState

# A word outside every span waits this long, seconds, for a span that begins after it.
NEAREST_WITHIN_S = 1.0
# Windows averaged for a speaker's embedding, at most; shortest window worth embedding, seconds.
MAX_WINDOWS, MIN_WINDOW_S = 40, 0.4


class FramedSpeakers:
    """SpeakerStage on a FrameDiarizer. Frames are never revised, so speakers are stable at once."""

    def __init__(self, engine: Engine, owner: Hashable, *, live: bool) -> None:
        """``engine``: with a diarizer; ``owner``: the session; ``live``: report turns."""
        model = engine.models.diarizer
        assert model is not None
        assert engine.diarizer is not None
        self._engine, self._owner, self._live = engine, owner, live
        self._queue, self._step, self._frame = engine.diarizer, model.step_samples, model.frame_samples
        self._frame_s = model.frame_samples / SAMPLE_RATE_HZ
        self._state = model.initial_state()
        self._given = 0  # samples passed to the model
        self._activity = FrameActivity(self._frame_s, model.max_speakers)
        self._words: dict[int, list[RecognisedWord]] = defaultdict(list)  # by span
        self._unplaced: list[RecognisedWord] = []
        self._taken: defaultdict[int, set[RecognisedWord]] = defaultdict(set)  # by speech segment
        self._dirty: set[int] = set()
        self._said: dict[int, TurnEvent] = {}
        self._looked_through = 0  # frames searched for windows to embed
        self._windows: dict[int, list[NDArray[np.float32]]] = defaultdict(list)  # by speaker
        self._encoded: dict[int, int] = defaultdict(int)  # samples of these windows, by speaker

    def known_through(self, heard: int) -> int:
        """Return the sample up to which the model has reported frames."""
        return min(heard, self._activity.frames * self._frame)

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Run the model up to sample ``heard``, in whole steps; return the first sample still needed."""
        while min(heard, audio.end) - self._given >= self._step:
            await self._give(audio.span(self._given, self._given + self._step), last=False)
        await self._encode(audio)
        return min(self._given, self._looked_through * self._frame)

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer) -> int:
        """Return the segment's end: frames are independent of segments."""
        return int(under_way.end_s * SAMPLE_RATE_HZ)

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Do nothing: frames are independent of segments."""
        return

    def abandon(self, number: int) -> None:
        """Do nothing: frames are independent of segments."""
        return

    def take_words(self, number: int, words: Sequence[RecognisedWord], *, complete: bool) -> None:
        """Replace a segment's words; ``changes`` places them into spans."""
        # A segment's chunks finish in any order, and provisional words may be replaced.
        now, before = set(words), self._taken[number]
        if gone := before - now:
            self._take_back(gone)
        self._unplaced += [word for word in words if word not in before]
        self._taken[number] = now

    def _take_back(self, gone: set[RecognisedWord]) -> None:
        """Remove words that have been replaced."""
        self._unplaced = [word for word in self._unplaced if word not in gone]
        for stretch, told in self._words.items():
            kept = [word for word in told if word not in gone]
            if len(kept) < len(told):
                self._words[stretch] = kept
                self._dirty.add(stretch)

    async def changes(self, words_through_s: float) -> list[TurnEvent]:
        """Return the turns to emit now; none unless live."""
        if not self._live:
            return []
        self._place_words(self._activity.frames * self._frame_s)
        found = []
        for number in sorted(self._dirty):
            stretch = self._activity.stretches[number]
            end_s = stretch.end * self._frame_s
            complete = stretch.closed and end_s <= words_through_s and not self._may_get_words(stretch)
            turn = self._turn(stretch, TurnState.STABLE if complete else TurnState.PARTIAL)
            if self._worth_saying(turn):
                turn = replace(turn, revision=self.revision_of(turn.segment_id) + 1)
                self._said[turn.segment_id] = turn
                found.append(turn)
            if complete:
                self._dirty.discard(number)
        return found

    async def finish(self, audio: AudioBuffer) -> None:
        """Run the model over the rest and embed what was left out."""
        await self.hear(audio, audio.end)
        await self._give(audio.span(self._given, audio.end), last=True)
        self._dirty |= self._activity.finish()
        await self._encode(audio, rest=True)

    def conclude(self, speech: Sequence[SpeechSegment], words: Sequence[RecognisedWord]) -> SettledSpeakers:
        """Place all final words; return spans by start, their words and the speakers' embeddings."""
        self._words.clear()
        self._unplaced = sorted(words, key=lambda word: (word.start_s, word.end_s))
        self._place_words(float("inf"))
        order = sorted(self._activity.stretches, key=lambda stretch: (stretch.start, stretch.number))
        said = {index: self._words[stretch.number] for index, stretch in enumerate(order)}
        return SettledSpeakers([self._segment(stretch) for stretch in order], said, self._voices())

    def revision_of(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        said = self._said.get(segment_id)
        return said.revision if said else 0

    async def _give(self, samples: Samples, *, last: bool) -> None:
        frames, self._state = await self._queue.submit(self._owner, Stretch(samples.copy(), self._state, last))
        self._given += len(samples)
        self._dirty |= self._activity.push(frames)

    def _place_words(self, known_s: float) -> None:
        """Assign words to spans, up to ``known_s`` (seconds), where frames end."""
        if not self._unplaced or not self._activity.stretches:
            return  # no speaker yet, hence no turn for the words
        starts = np.array([stretch.start for stretch in self._activity.stretches]) * self._frame_s
        ends = np.array([stretch.end for stretch in self._activity.stretches]) * self._frame_s
        waiting = []
        for word in self._unplaced:
            # Gap in seconds; 0 or less where they overlap.
            distance = np.maximum(starts - word.end_s, word.start_s - ends)
            if word.end_s > known_s or (distance.min() > 0 and word.end_s + NEAREST_WITHIN_S > known_s):
                waiting.append(word)
                continue
            near = np.flatnonzero(distance <= 0)
            number = int(distance.argmin()) if not len(near) else max(map(int, near), key=self._share_of(word))
            self._words[number].append(word)
            self._dirty.add(number)
        self._unplaced = waiting

    def _share_of(self, word: RecognisedWord) -> Callable[[int], float]:
        """Return a function from span number to the word's summed probability in it."""
        stretches = self._activity.stretches
        return lambda number: self._activity.share(stretches[number].speaker, word.start_s, word.end_s)

    def _distance_s(self, stretch: Activity, word: RecognisedWord) -> float:
        return max(stretch.start * self._frame_s - word.end_s, word.start_s - stretch.end * self._frame_s)

    def _may_get_words(self, stretch: Activity) -> bool:
        return any(self._distance_s(stretch, word) <= NEAREST_WITHIN_S for word in self._unplaced)

    def _segment(self, stretch: Activity) -> SpeakerSegment:
        start_s, end_s = stretch.start * self._frame_s, stretch.end * self._frame_s
        return SpeakerSegment(start_s, end_s, stretch.speaker, stretch.number, 0)

    def _turn(self, stretch: Activity, state: TurnState) -> TurnEvent:
        piece = self._segment(stretch)
        words = tuple(sorted(self._words[stretch.number], key=lambda word: word.start_s))
        return TurnEvent(piece.segment_id, piece.speaker, piece.start_s, piece.end_s, words, state=state)

    def _worth_saying(self, turn: TurnEvent) -> bool:
        said = self._said.get(turn.segment_id)
        if said is None or (said.state, said.words) != (turn.state, turn.words):
            return True
        return turn.end_s - said.end_s >= GROWTH_S

    async def _encode(self, audio: AudioBuffer, *, rest: bool = False) -> None:
        """Embed single-speaker spans, up to MAX_WINDOWS a speaker; ``rest``: no more frames come."""
        window = round(self._engine.models.encoder.profile.window_s / self._frame_s)
        shortest = round(MIN_WINDOW_S / self._frame_s)
        wanted: list[tuple[int, Samples]] = []
        through = self._activity.frames
        for speaker, start, end in self._activity.alone(self._looked_through):
            goes_on = end == self._activity.frames and not rest
            if goes_on and end - start < window:
                through = start  # searched again when it is longer
                break
            spans = [(first, first + window) for first in range(start, end - window + 1, window)]
            if not spans and not self._windows[speaker] and end - start >= shortest:
                spans = [(start, end)]
            for first, last in spans[: max(0, MAX_WINDOWS - len(self._windows[speaker]))]:
                wanted.append((speaker, audio.span(first * self._frame, last * self._frame).copy()))
        self._looked_through = through
        if wanted:
            vectors = await self._engine.encode(self._owner, [samples for _, samples in wanted])
            for (speaker, samples), vector in zip(wanted, vectors, strict=True):
                self._windows[speaker].append(vector)
                self._encoded[speaker] += len(samples)

    def _voices(self) -> VoiceProfiles:
        speakers = max((stretch.speaker for stretch in self._activity.stretches), default=0)
        found = np.zeros((speakers, self._engine.models.encoder.profile.dimension), np.float32)
        seconds = np.array([self._encoded[number] / SAMPLE_RATE_HZ for number in range(1, speakers + 1)], np.float32)
        for number in range(1, speakers + 1):
            if self._windows[number]:
                found[number - 1] = np.mean(self._windows[number], axis=0)
        return VoiceProfiles(unit(found), seconds)
