"""Diarization by clustering speaker embeddings; a voice segmentation adds simultaneous speech."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inference.diarization import (
    EncoderWindow,
    SeveralVoices,
    Similarity,
    SpeakerSegment,
    SpeechSegment,
    VoiceProfiles,
    WindowPlan,
    assign_speakers,
    build_profiles,
    cluster_speakers,
    detected_speech,
    diarize_with_overlap,
    join_speech,
    single_voice_shares,
)
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples
from inference.speakers.pending_embeddings import PendingEmbeddings
from inference.speakers.turn_tracker import TurnTracker
from inference.speakers.voice_windows import VoiceWindows
from inference.speakers.word_attribution import words_by_segment
from inference.stages import AudioBuffer, FinalDiarization, TurnEvent

ENCODER_BATCH = 64
# Before its first window, a segment gets a speaker once it holds this much speech.
FIRST_EMBEDDING_S = 0.6
# Audio kept before the span that coming windows need.
MARGIN_S = 0.5
# Submissions of a recording that may be at the encoder while more audio is processed.
MAX_PENDING_RECORDING = 2


class ClusteredSpeakers:
    """SpeakerStage that embeds windows of speech as they arrive, and clusters them at the end."""

    def __init__(
        self,
        engine: ModelEngine,
        owner: Hashable,
        expected: int | None,
        on_change: Callable[[], None] = lambda: None,
        *,
        live: bool,
    ) -> None:
        """
        Args:
            owner: the session.
            expected: number of speakers; None where unknown.
            on_change: called when the speaker of a segment that has ended may have become known.
            live: report turns.
        """
        self._expected, self._on_change = expected, on_change
        self._profile = engine.models.encoder.profile
        # A single expected speaker cannot overlap with anybody.
        segments_voices = engine.models.segmenter is not None and expected != 1
        self._voices = VoiceWindows(engine, owner) if segments_voices else None
        segmented = self._voices.segmented if self._voices else None
        self._live = TurnTracker(self._profile, expected, segmented) if live else None
        self._suspicion = SeveralVoices(self._profile) if live and expected == 1 else None
        self._plan: WindowPlan | None = None
        self._windows: list[EncoderWindow] = []
        self._waiting: list[tuple[EncoderWindow, Samples]] = []
        self._vectors: list[NDArray[np.float32]] = []
        self._pending = PendingEmbeddings(partial(engine.encode, owner), self._use_embeddings, self._on_embeddings)
        self._last_embedded = -1  # segment of the last window submitted
        self._until_s = 0.0  # where the audio ends

    @property
    def several_voices(self) -> bool:
        """Whether several people clearly speak, although one is expected."""
        return self._suspicion is not None and self._suspicion.found

    def known_through(self, processed: int) -> int:
        """Return ``processed``: speakers are known as soon as audio is processed."""
        return processed

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Take the embeddings of earlier blocks and segment voices; return the first sample still needed.

        A live session's embeddings are taken at this point, never later, so that speakers depend on the audio alone.
        """
        await self._pending.wait(at_most=0 if self._live else MAX_PENDING_RECORDING)
        return min(processed, await self._voices.advance(audio, processed)) if self._voices else processed

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer) -> int:
        """Submit the segment's new windows; return the first sample still needed."""
        profile = self._profile
        if self._plan is None:
            self._plan = WindowPlan(number, profile.window_s, profile.hop_s)
        self._add_windows(self._plan.grow(ongoing), audio)
        if self._live:
            self._live.extend_segment(number, ongoing)
            if self._last_embedded != number and ongoing.end_s - ongoing.start_s >= FIRST_EMBEDDING_S:
                window = EncoderWindow(ongoing.start_s, ongoing.end_s, number)
                self._submit([window], [audio.span_s(window.start_s, window.end_s).copy()], provisional=True)
        needed_s = max(ongoing.start_s, ongoing.end_s - 2 * profile.window_s)
        return int(max(0.0, needed_s - MARGIN_S) * SAMPLE_RATE_HZ)

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Submit the last windows of a segment."""
        plan = self._plan or WindowPlan(number, self._profile.window_s, self._profile.hop_s)
        self._plan = None
        self._add_windows(plan.finish(segment), audio)
        if self._live:
            self._live.close_segment(number, segment)

    async def flush(self, audio: AudioBuffer) -> None:
        """Look at what has come of the next voice window, as if silence followed, and settle the turns so far."""
        if self._live and self._voices:
            await self._voices.preview(audio)
            self._live.flush(audio.end / SAMPLE_RATE_HZ)

    def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """End the segment's turns as far as they reach; what follows continues them."""
        if self._live is None:
            return
        self._live.flush_segment(number, segment)
        if self._last_embedded != number and segment.end_s - segment.start_s >= FIRST_EMBEDDING_S:
            self._submit(
                [EncoderWindow(segment.start_s, segment.end_s, number)],
                [audio.span_s(segment.start_s, segment.end_s).copy()],
                provisional=True,
            )

    def abandon_segment(self, number: int) -> None:
        """Discard a segment that was too short to be speech."""
        if self._live:
            self._live.abandon_segment(number)

    def set_words(self, number: int, words: Sequence[RecognisedWord], *, complete: bool) -> None:
        """Pass words on to the live turns, where the session has any."""
        if self._live:
            self._live.set_words(number, list(words), complete=complete)

    async def changed_turns(self, words_through_s: float) -> list[TurnEvent]:
        """Return the turns to emit now, after clustering anew where that is due; none unless live."""
        if self._live is None:
            return []
        self._pending.use_done()
        if self._suspicion is not None and self._suspicion.is_due(len(self._windows)):
            await asyncio.to_thread(self._suspicion.look, np.concatenate(self._vectors))
        if self._live.recluster_due:
            # Takes seconds in a meeting of hours; other sessions continue meanwhile.
            return await asyncio.to_thread(self._recluster, self._live, words_through_s)
        return self._live.changed_turns(words_through_s, self._pending.segments)

    async def finish(self, audio: AudioBuffer) -> None:
        """Embed the remaining windows and segment the remaining audio."""
        self._until_s = audio.end / SAMPLE_RATE_HZ
        self._encode(at_least=1)
        if self._voices:
            await self._voices.finish(audio)
        await self._pending.wait()

    async def close(self) -> None:
        """Cancel pending embeddings and wait until they have stopped."""
        await self._pending.close()

    def conclude(self, speech: Sequence[SpeechSegment], words: Sequence[RecognisedWord]) -> FinalDiarization:
        """Cluster all windows; return segments, their words and the speakers' embeddings."""
        if not self._windows:
            return FinalDiarization([], {}, VoiceProfiles.empty(self._profile.dimension))
        vectors = np.concatenate(self._vectors)
        centroids = cluster_speakers(vectors, self._profile, self._expected, self._single_voice_shares())
        segments = self._segments(speech, vectors, centroids)
        voices = build_profiles(segments, self._windows, vectors, self._profile.hop_s)
        return FinalDiarization(segments, words_by_segment(segments, words), voices)

    def _segments(
        self, speech: Sequence[SpeechSegment], vectors: NDArray[np.float32], centroids: NDArray[np.float32]
    ) -> list[SpeakerSegment]:
        if self._voices is None:
            return assign_speakers(speech, self._windows, vectors, centroids)
        segmented = self._voices.segmented
        middles_s = np.array([window.middle_s for window in self._windows])
        all_speech = join_speech(speech, detected_speech(segmented, self._until_s))
        return diarize_with_overlap(all_speech, segmented, Similarity(middles_s, vectors @ centroids.T))

    def segment_revision(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        return self._live.segment_revision(segment_id) if self._live else 0

    def _recluster(self, live: TurnTracker, words_through_s: float) -> list[TurnEvent]:
        live.recluster(np.concatenate(self._vectors), self._single_voice_shares())
        return live.changed_turns(words_through_s, self._pending.segments)

    def _single_voice_shares(self) -> NDArray[np.float32] | None:
        """Return each window's share of single-voice speech, shape (windows,); None without a segmenter."""
        return single_voice_shares(self._voices.segmented, self._windows) if self._voices else None

    def _add_windows(self, windows: list[EncoderWindow], audio: AudioBuffer) -> None:
        self._waiting += [(window, audio.span_s(*window.encoder_span()).copy()) for window in windows]
        self._encode(at_least=1 if self._live else ENCODER_BATCH)

    def _encode(self, at_least: int) -> None:
        if len(self._waiting) < at_least:
            return
        windows, samples = zip(*self._waiting, strict=True)
        self._waiting = []
        self._submit(windows, samples)

    def _submit(
        self, windows: Sequence[EncoderWindow], samples: Sequence[Samples], *, provisional: bool = False
    ) -> None:
        self._last_embedded = windows[-1].segment
        self._pending.submit(windows, samples, provisional=provisional)

    def _use_embeddings(
        self, windows: Sequence[EncoderWindow], vectors: NDArray[np.float32], provisional: bool
    ) -> None:
        if not provisional:
            self._vectors.append(vectors)
            self._windows += windows
        if self._live and provisional:
            self._live.add_first_embedding(windows[0].segment, windows[0].middle_s, vectors[0])
        elif self._live:
            self._live.add_windows(windows, vectors)

    def _on_embeddings(self) -> None:
        """Report ended segments at once; an ongoing one is reported with its next block of audio."""
        if self._plan is None:
            self._on_change()
