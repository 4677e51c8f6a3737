"""The session: audio in, events out. It knows stages, not models.

Speech detection, diarization and recognition run while audio arrives; speakers are settled at the end, over the whole
session. A session keeps what its speaker stage needs, words and segments, and the audio of ongoing speech.
"""

from __future__ import annotations

import asyncio
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.acoustics import AcousticsCollector
from inference.diarization import SpeechSegment, SpeechSegmenter
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples, StreamInput
from inference.monitoring import AUDIO, kind_of
from inference.session.wordless_speech import WordlessSpeech
from inference.speakers import ClusteredSpeakers, FramedSpeakers
from inference.stages import (
    AudioBuffer,
    Event,
    FinishedEvent,
    ProgressEvent,
    SessionStage,
    SpeakerStage,
    TurnEvent,
    WordStage,
)
from inference.words import create_word_stage

# The detector expects speech at about this level (RMS, full scale 1): -24.4 dBFS.
TARGET_RMS = 0.06
# Prior for the level: the average of meetings, weighted as so many seconds of audio, so that the first words of a quiet
# meeting are not lost to a wrong estimate.
PRIOR_LEVEL_DBFS, PRIOR_S = -30.0, 5.0
# Audio is processed in blocks of this length (0.512 s) however it arrives, so that results do not depend on how a
# client cuts it: live, uploaded or sent again after a crash.
BLOCK_WINDOWS = 16
# Speech segments begin at most this long before the latest processed window.
MARGIN_SAMPLES = SAMPLE_RATE_HZ
PROGRESS_EVERY_SAMPLES = 2 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Settings of a session, fixed before it begins."""

    expected_speakers: int | None = None
    transcribe: bool = True
    language: str = ""
    """Spoken language, one of the recogniser's; empty: detected where the recogniser has several."""
    key_terms: tuple[str, ...] = ()
    """Terms that may be spoken, as they are spelled."""
    live: bool = False
    """Emit turns while they are in progress."""
    organization: str = ""
    """Opaque: sessions of one organization share its turns at the models; empty: the session has turns of its own."""
    bulk: bool = False
    """Its work comes after that of other sessions."""


class Session:
    """One stream of audio on a shared engine. Calls must not overlap; always ``close`` it at the end."""

    def __init__(self, engine: ModelEngine, config: SessionConfig) -> None:
        """Open the session: it counts in ``engine.sessions`` until ``close``."""
        models = engine.models
        self._engine, self._config = engine, config
        self.organization, self.live, self.bulk = config.organization, config.live, config.bulk
        self._window_samples = models.vad.window_samples
        self._block_samples = BLOCK_WINDOWS * models.vad.window_samples
        self._vad_state = models.vad.initial_state()
        self._segmenter = SpeechSegmenter(self._window_samples / SAMPLE_RATE_HZ)
        self._audio = AudioBuffer()
        self._processed = 0  # samples the detector has processed
        self._energy = 0.0
        self._speech: list[SpeechSegment] = []
        # Set when words or embeddings have arrived: time to call ``poll``.
        self.changed = asyncio.Event()
        self._recognition: WordStage | None = None
        if config.transcribe:
            self._recognition = create_word_stage(
                engine,
                self,
                self.changed.set,
                language=config.language,
                key_terms=config.key_terms,
                live=config.live,
            )
        self._speakers: SpeakerStage
        if engine.diarizer is not None:
            self._speakers = FramedSpeakers(engine, self, live=config.live)
        else:
            self._speakers = ClusteredSpeakers(
                engine, self, config.expected_speakers, self.changed.set, live=config.live
            )
        self._acoustics = AcousticsCollector(
            models.quality.window_samples, lambda window: engine.quality.submit(self, window), live=config.live
        )
        self._wordless = WordlessSpeech(live=config.live)
        self._taken = AUDIO.labels(kind_of(live=config.live))
        self._reported = 0
        self._closed = False
        engine.sessions += 1

    async def push(self, samples: NDArray[np.int16]) -> list[Event]:
        """Process the next samples; wait while too much work is pending.

        Args:
            samples: s16, mono, 16 kHz, any number.

        Returns:
            Turns and progress of a live session; progress every 2 s otherwise.
        """
        self._taken.inc(len(samples) / SAMPLE_RATE_HZ)
        self._audio.append(samples.astype(np.float32) / np.float32(32768))
        events: list[Event] = []
        while self._audio.end - self._processed >= self._block_samples:
            await self._process_block(self._audio.span(self._processed, self._processed + self._block_samples))
            events += await self._live_events()
        return events if self._config.live else self._progress()

    async def poll(self) -> list[Event]:
        """Return the events that new words and embeddings cause, without further audio."""
        self.changed.clear()
        return await self._live_events()

    async def flush(self) -> list[Event]:
        """Tell what is known of all audio so far, as if silence followed: turns end, and words of all of it come.

        The words may come later, by ``poll``. What follows goes on from the same place: the events of ``finish`` do
        not depend on flushes.
        """
        if not self._config.live:
            return []
        await self._speakers.flush(self._audio)
        for number, segment in enumerate(await self._segments_so_far(), start=len(self._speech)):
            self._speakers.flush_segment(number, segment, self._audio)
            if self._recognition:
                await self._recognition.flush_segment(number, segment, self._audio)
                self._pass_words(number)
            else:
                self._speakers.set_words(number, [], complete=True)
        return await self._live_events()

    async def _segments_so_far(self) -> list[SpeechSegment]:
        """Return the segments that would end now if the audio did, without an effect on those that will."""
        segmenter, segments = copy(self._segmenter), []
        total = self._audio.end
        if rest := total - self._processed:
            tail = np.zeros(-(-rest // self._window_samples) * self._window_samples, np.float32)
            tail[:rest] = self._audio.span(self._processed, total)
            levelled = np.clip(tail * np.float32(self._gain()), -1, 1)
            probabilities, _ = await self._engine.vad.submit(self, StreamInput(levelled, self._vad_state))
            segments = segmenter.push(probabilities)
        return [*segments, *segmenter.finish(total / SAMPLE_RATE_HZ)]

    async def finish(self) -> list[Event]:
        """Process the remaining audio; return the final turns and the end of the session."""
        total = self._audio.end
        if rest := total - self._processed:
            windows = -(-rest // self._window_samples)
            tail = np.zeros(windows * self._window_samples, np.float32)
            tail[:rest] = self._audio.span(self._processed, total)
            await self._process_block(tail)
        for segment in self._segmenter.finish(total / SAMPLE_RATE_HZ):
            await self._close_segment(segment)
        await self._speakers.finish(self._audio)
        words: list[RecognisedWord] = []
        if self._recognition:
            words += await self._recognition.finish(self._audio)
            self._wordless.finish(self._speech, words)
        await self._acoustics.finish([(segment.start_s, segment.end_s) for segment in self._speech])
        return await asyncio.to_thread(self._conclude, total, words)

    async def close(self) -> None:
        """Cancel pending work. Safe to repeat."""
        if not self._closed:
            self._closed = True
            self._engine.sessions -= 1
        if self._recognition:
            await self._recognition.close()
        await self._speakers.close()
        await self._acoustics.close()

    def processed_samples(self) -> int:
        """Return the sample before which everything is analysed, words included."""
        waiting = self._recognition.first_pending_sample() if self._recognition else None
        known = self._speakers.known_through(self._processed)
        return known if waiting is None else min(known, waiting)

    def _progress(self) -> list[Event]:
        if self._processed - self._reported < PROGRESS_EVERY_SAMPLES:
            return []
        self._reported = self._processed
        return [self._progress_event(self.processed_samples())]

    def _progress_event(self, analysed: int) -> ProgressEvent:
        """Return the progress so far; ``analysed``: the sample before which words are recognised too."""
        known, words = self._speakers.known_through(self._processed), self._recognition
        several = self._speakers.several_voices
        if words is None:
            return ProgressEvent(analysed, SessionStage.ANALYSING, known, analysed, several_voices=several)
        final = min(analysed, words.final_through(self._processed))
        language, confidence = words.language, words.confidence_in(words.language)
        return ProgressEvent(analysed, SessionStage.ANALYSING, known, final, language, confidence, several)

    async def _live_events(self) -> list[Event]:
        """Return the turns that changed, followed by the progress that completes them."""
        if not self._config.live:
            return []
        if self._recognition:
            for number in self._recognition.pop_changed_segments():
                self._pass_words(number)
        analysed = self.processed_samples()
        turns = await self._speakers.changed_turns(analysed / SAMPLE_RATE_HZ)
        progress = self._progress_event(analysed)
        if self._recognition:
            self._wordless.count(self._speech, progress.final_words_samples, self._recognition.segment_words)
            self._recognition.drop_before(progress.final_words_samples)
        return [*turns, progress]

    def _pass_words(self, number: int) -> None:
        assert self._recognition is not None
        words, waits = self._recognition.segment_words(number), self._recognition.awaits_words(number)
        self._speakers.set_words(number, words, complete=not waits)

    def _gain(self) -> float:
        prior_samples = PRIOR_S * SAMPLE_RATE_HZ
        energy = self._energy + prior_samples * 10 ** (PRIOR_LEVEL_DBFS / 10)
        return float(TARGET_RMS / np.sqrt(energy / (self._processed + prior_samples) + 1e-9))

    async def _process_block(self, samples: Samples) -> None:
        """Run the detector over whole windows and advance the stages over the speech it finds."""
        self._energy += float(np.square(samples, dtype=np.float64).sum())
        self._processed += len(samples)
        levelled = np.clip(samples * np.float32(self._gain()), -1, 1)
        probabilities, self._vad_state = await self._engine.vad.submit(self, StreamInput(levelled, self._vad_state))
        await asyncio.to_thread(self._acoustics.measure, samples)
        await self._acoustics.score(samples, probabilities)
        needed = self._processed - MARGIN_SAMPLES
        if self._recognition:
            self._recognition.add_speech_probabilities(probabilities)
            needed = min(needed, await self._recognition.advance(self._audio, self._processed))
        needed = min(needed, await self._speakers.advance(self._audio, self._processed))
        for segment in self._segmenter.push(probabilities):
            await self._close_segment(segment)
        if (ongoing := self._segmenter.open_segment) is not None:
            # The segment's end is padded; whether that audio has arrived depends on how clients cut it.
            known_s = min(ongoing.end_s, self._processed / SAMPLE_RATE_HZ)
            needed = min(needed, await self._extend_segment(replace(ongoing, end_s=known_s)))
        else:
            if self._recognition:
                self._recognition.abandon_segment()
            self._speakers.abandon_segment(len(self._speech))
        self._audio.drop_before(max(0, needed))

    async def _extend_segment(self, ongoing: SpeechSegment) -> int:
        """Advance the stages over an ongoing segment; return the first sample they still need."""
        number = len(self._speech)
        needed = await self._speakers.extend_segment(number, ongoing, self._audio)
        if self._recognition:
            needed = min(needed, await self._recognition.extend_segment(number, ongoing, self._audio, self._processed))
        return needed

    async def _close_segment(self, segment: SpeechSegment) -> None:
        number = len(self._speech)
        await self._speakers.close_segment(number, segment, self._audio)
        if self._recognition:
            await self._recognition.close_segment(number, segment, self._audio)
        self._speech.append(segment)
        if self._recognition:
            self._pass_words(number)
        else:
            self._speakers.set_words(number, [], complete=True)

    def _conclude(self, total: int, words: list[RecognisedWord]) -> list[Event]:
        diarization = self._speakers.conclude(self._speech, words)
        turns = [
            TurnEvent(
                segment.segment_id,
                segment.speaker,
                segment.start_s,
                segment.end_s,
                tuple(diarization.words.get(index, ())),
                self._acoustics.segment(segment.start_s, segment.end_s),
                revision=1 + self._speakers.segment_revision(segment.segment_id),
            )
            for index, segment in enumerate(diarization.segments)
        ]
        language = self._recognition.main_language if self._recognition and words else ""
        confidence = self._recognition.confidence_in(language) if self._recognition and language else None
        end = FinishedEvent(total, diarization.voices, self._acoustics.recording(), language, confidence)
        progress = ProgressEvent(total, SessionStage.CLUSTERING, total, total, language, confidence)
        return [progress, *turns, end] if turns else [end]
