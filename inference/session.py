"""The session engine: audio in, events out. It knows stages, not models.

Speech is found, voices are encoded and words recognised while the audio comes; who is who is
settled at the end, over the whole session. What is kept is speaker vectors, words and
segments, and the audio of the speech still under way.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.acoustics import RecordingEar
from inference.audio_buffer import AudioBuffer
from inference.diarization.clustering import cluster_speakers
from inference.diarization.resegmentation import SpeakerSegment, assign_speakers
from inference.diarization.speech_segments import SpeechSegment, SpeechSegmenter
from inference.diarization.windows import Window, WindowPlan
from inference.events import Event, FinishedEvent, ProgressEvent, TurnEvent
from inference.live_turns import LiveTurns
from inference.models import SAMPLE_RATE_HZ, ModelSet, RecognisedWord, Samples, Stretch
from inference.recognition import Recognition
from inference.said_words import words_by_segment

# The detector expects speech at about this level (RMS, full scale 1): -24.4 dBFS.
TARGET_RMS = 0.06
# Before anything is heard, the level is taken to be what meetings have on average, with the
# weight of so many seconds: the first words of a quiet meeting are not lost to a wrong guess.
PRIOR_LEVEL_DBFS, PRIOR_S = -30.0, 5.0
# Audio is worked on in blocks of this length (0.512 s), however it comes, so that what is heard
# never depends on how it was cut: live, uploaded or sent again after a crash.
BLOCK_WINDOWS = 16
# Speech segments never reach back further than this behind the last window heard.
MARGIN_SAMPLES = SAMPLE_RATE_HZ
ENCODED_AT_ONCE = 64
PROGRESS_EVERY_SAMPLES = 2 * SAMPLE_RATE_HZ
# Pieces with the recogniser at once. A recording waits for words, so that its audio does not pile up in
# memory; live, who speaks must not wait for words that are late.
PIECES_AT_ONCE, PIECES_AT_ONCE_LIVE = 4, 64
# A segment without a window yet is given a speaker from so much speech.
FIRST_LOOK_S = 0.6


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What is known of a session before it begins."""

    expected_speakers: int | None = None
    transcribe: bool = True
    live: bool = False
    """Say turns while they go on."""


class Session:
    """One stream of audio on shared models. Calls must not overlap; ``close`` at the end, whatever happened."""

    def __init__(self, models: ModelSet, config: SessionConfig) -> None:
        self._models, self._config = models, config
        self._window_samples = models.vad.window_samples
        self._block_samples = BLOCK_WINDOWS * models.vad.window_samples
        self._vad_state = models.vad.initial_state()
        self._segmenter = SpeechSegmenter(self._window_samples / SAMPLE_RATE_HZ)
        self._audio = AudioBuffer()
        self._heard = 0  # samples the detector has heard
        self._energy = 0.0
        self._speech: list[SpeechSegment] = []
        self._plan: WindowPlan | None = None
        self._windows: list[Window] = []
        self._waiting: list[tuple[Window, Samples]] = []
        self._vectors: list[NDArray[np.float32]] = []
        # Set when words have come: time to call ``poll``.
        self.changed = asyncio.Event()
        pieces = PIECES_AT_ONCE_LIVE if config.live else PIECES_AT_ONCE
        self._recognition = Recognition(models.transcriber, pieces, self.changed.set) if config.transcribe else None
        profile = models.encoder.profile
        self._live = LiveTurns(profile, config.expected_speakers) if config.live else None
        self._ear = RecordingEar(models.quality)
        self._reported = 0

    async def push(self, samples: NDArray[np.int16]) -> list[Event]:
        """Takes the next samples (s16, mono, 16 kHz, any number); waits while too much is under way."""
        self._audio.append(samples.astype(np.float32) / np.float32(32768))
        events: list[Event] = []
        while self._audio.end - self._heard >= self._block_samples:
            await self._hear(self._audio.span(self._heard, self._heard + self._block_samples))
            events += await self._say_live()
        return events if self._live else self._progress()

    async def poll(self) -> list[Event]:
        """What can be said since words have come, without further audio."""
        self.changed.clear()
        return await self._say_live()

    async def finish(self) -> list[Event]:
        """The rest of the audio, then the final turns and the end."""
        total = self._audio.end
        if rest := total - self._heard:
            windows = -(-rest // self._window_samples)
            tail = np.zeros(windows * self._window_samples, np.float32)
            tail[:rest] = self._audio.span(self._heard, total)
            await self._hear(tail)
        for segment in self._segmenter.finish(total / SAMPLE_RATE_HZ):
            await self._close_segment(segment)
        await self._encode(at_least=1)
        words = await self._recognition.finish() if self._recognition else []
        await self._ear.finish([(segment.start_s, segment.end_s) for segment in self._speech])
        if not self._windows:
            nobody = np.zeros((0, self._models.encoder.profile.dimension), np.float32)
            return [FinishedEvent(total, nobody, self._ear.recording())]
        return await asyncio.to_thread(self._conclude, total, words)

    async def close(self) -> None:
        """Stops what is still under way."""
        if self._recognition:
            await self._recognition.close()
        await self._ear.close()

    def processed_samples(self) -> int:
        """Everything before this sample is analysed, its words included."""
        waiting = self._recognition.oldest_waiting() if self._recognition else None
        return self._heard if waiting is None else min(self._heard, waiting)

    def _progress(self) -> list[Event]:
        done = self.processed_samples()
        if done - self._reported < PROGRESS_EVERY_SAMPLES:
            return []
        self._reported = done
        return [ProgressEvent(done, "analysing", self._heard)]

    async def _say_live(self) -> list[Event]:
        """The turns that changed, and a progress that ends what belongs together."""
        if self._live is None:
            return []
        if self._recognition:
            for number in self._recognition.take_done():
                self._pass_words(number)
        if self._live.due:
            await asyncio.to_thread(self._live.recluster, np.concatenate(self._vectors))
        return [*self._live.changes(), ProgressEvent(self.processed_samples(), "analysing", self._heard)]

    def _pass_words(self, number: int) -> None:
        assert self._live is not None
        assert self._recognition is not None
        words, waits = self._recognition.words_of(number), self._recognition.waits_for(number)
        self._live.take_words(number, words, complete=not waits)

    def _gain(self) -> float:
        prior_samples = PRIOR_S * SAMPLE_RATE_HZ
        energy = self._energy + prior_samples * 10 ** (PRIOR_LEVEL_DBFS / 10)
        return float(TARGET_RMS / np.sqrt(energy / (self._heard + prior_samples) + 1e-9))

    async def _hear(self, samples: Samples) -> None:
        """Runs the detector over whole windows and follows the speech it finds."""
        self._energy += float(np.square(samples, dtype=np.float64).sum())
        self._heard += len(samples)
        probabilities = await asyncio.to_thread(self._listen, samples)
        await self._ear.judge(samples, probabilities)
        if self._recognition:
            self._recognition.note_speech(probabilities)
        for segment in self._segmenter.push(probabilities):
            await self._close_segment(segment)
        needed = self._heard - MARGIN_SAMPLES
        if (under_way := self._segmenter.open_segment) is not None:
            # A segment is padded at its end: whether that has come yet depends on how audio is cut.
            known_s = min(under_way.end_s, self._heard / SAMPLE_RATE_HZ)
            needed = min(needed, await self._follow(replace(under_way, end_s=known_s)))
        else:
            if self._recognition:
                self._recognition.abandon_segment()
            if self._live:
                self._live.abandon(len(self._speech))
        self._audio.drop_before(max(0, needed))

    def _listen(self, samples: Samples) -> NDArray[np.float32]:
        """All that is heard in a block at once: one trip to a thread."""
        levelled = np.clip(samples * np.float32(self._gain()), -1, 1)
        ((probabilities, self._vad_state),) = self._models.vad([Stretch(levelled, self._vad_state)])
        self._ear.measure(samples)
        return probabilities

    async def _follow(self, under_way: SpeechSegment) -> int:
        """Does what can be done for a segment before it ends; returns the first sample it still needs."""
        profile = self._models.encoder.profile
        number = len(self._speech)
        if self._plan is None:
            self._plan = WindowPlan(number, profile.window_s, profile.hop_s)
        await self._add_windows(self._plan.grow(under_way))
        if self._live:
            self._live.follow(number, under_way)
            if self._live.wants_first_look(number) and under_way.end_s - under_way.start_s >= FIRST_LOOK_S:
                await self._look(number, under_way)
        needed_s = max(under_way.start_s, under_way.end_s - 2 * profile.window_s)
        needed = int(max(0.0, needed_s - 0.5) * SAMPLE_RATE_HZ)
        if self._recognition:
            needed = min(needed, await self._recognition.follow(number, under_way, self._audio, self._heard))
        return needed

    async def _look(self, number: int, under_way: SpeechSegment) -> None:
        audio = self._audio.span_s(under_way.start_s, under_way.end_s).copy()
        (vector,) = await asyncio.to_thread(self._models.encoder, [audio])
        assert self._live is not None
        self._live.look(number, (under_way.start_s + under_way.end_s) / 2, vector)

    async def _close_segment(self, segment: SpeechSegment) -> None:
        profile, number = self._models.encoder.profile, len(self._speech)
        plan = self._plan or WindowPlan(number, profile.window_s, profile.hop_s)
        self._plan = None
        await self._add_windows(plan.finish(segment))
        if self._recognition:
            await self._recognition.close_segment(number, segment, self._audio)
        self._speech.append(segment)
        if self._live:
            self._live.close(number, segment)
            if self._recognition:
                self._pass_words(number)
            else:
                self._live.take_words(number, [], complete=True)

    async def _add_windows(self, windows: list[Window]) -> None:
        self._waiting += [(window, self._audio.span_s(*window.heard()).copy()) for window in windows]
        await self._encode(at_least=1 if self._live else ENCODED_AT_ONCE)

    async def _encode(self, at_least: int) -> None:
        if len(self._waiting) < at_least:
            return
        windows, audio = zip(*self._waiting, strict=True)
        self._waiting = []
        vectors = await asyncio.to_thread(self._models.encoder, audio)
        self._vectors.append(vectors)
        self._windows += windows
        if self._live:
            self._live.hear(windows, vectors)

    def _conclude(self, total: int, words: list[RecognisedWord]) -> list[Event]:
        vectors = np.concatenate(self._vectors)
        centroids = cluster_speakers(vectors, self._models.encoder.profile, self._config.expected_speakers)
        segments = assign_speakers(self._speech, self._windows, vectors, centroids)
        said = words_by_segment(segments, words)
        turns = [
            TurnEvent(
                piece.segment_id,
                piece.speaker,
                piece.start_s,
                piece.end_s,
                tuple(said[index]),
                self._ear.segment(piece.start_s, piece.end_s),
                revision=1 + (self._live.revision_of(piece.segment_id) if self._live else 0),
            )
            for index, piece in enumerate(segments)
        ]
        profiles = self._profiles(segments, vectors)
        return [
            ProgressEvent(total, "clustering", total),
            *turns,
            FinishedEvent(total, profiles, self._ear.recording()),
        ]

    def _profiles(self, segments: list[SpeakerSegment], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean vector of each speaker's windows, shape (speakers, d), unit length."""
        starts = [segment.start_s for segment in segments]
        owners = np.array(
            [segments[max(0, bisect_right(starts, window.middle_s) - 1)].speaker for window in self._windows]
        )
        count = max(segment.speaker for segment in segments)
        profiles = np.zeros((count, vectors.shape[1]), np.float32)
        for speaker in range(1, count + 1):
            own = vectors[owners == speaker]
            if len(own):
                mean = own.mean(0)
                profiles[speaker - 1] = mean / (np.linalg.norm(mean) + 1e-9)
        return profiles
