"""Diarization by clustering speaker embeddings; a voice segmentation adds simultaneous speech."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.diarization import (
    Similarity,
    SpeakerSegment,
    SpeechSegment,
    VoiceProfiles,
    Window,
    WindowPlan,
    alone_shares,
    assign_speakers,
    cluster_speakers,
    heard_speech,
    overlapped_segments,
    profiles_of,
    united,
)
from inference.engine import Engine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples
from inference.speakers.live_turns import LiveTurns
from inference.speakers.said_words import words_by_segment
from inference.speakers.voice_windows import VoiceWindows
from inference.stages import AudioBuffer, SettledSpeakers, TurnEvent

ENCODED_AT_ONCE = 64
# Before its first window, a segment gets a speaker once it holds this much speech.
FIRST_LOOK_S = 0.6
# Audio kept before the span that coming windows need.
MARGIN_S = 0.5


class ClusteredSpeakers:
    """SpeakerStage that embeds windows of speech as they arrive, and clusters them at the end."""

    def __init__(self, engine: Engine, owner: Hashable, expected: int | None, *, live: bool) -> None:
        """``owner``: the session; ``expected``: number of speakers, None where unknown; ``live``: report turns."""
        self._engine, self._owner, self._expected = engine, owner, expected
        self._profile = engine.models.encoder.profile
        # A single expected speaker cannot overlap with anybody.
        apart = engine.models.segmenter is not None and expected != 1
        self._voices = VoiceWindows(engine, owner) if apart else None
        heard = self._voices.heard if self._voices else None
        self._live = LiveTurns(self._profile, expected, heard) if live else None
        self._plan: WindowPlan | None = None
        self._windows: list[Window] = []
        self._waiting: list[tuple[Window, Samples]] = []
        self._vectors: list[NDArray[np.float32]] = []
        self._until_s = 0.0  # where the audio ends

    def known_through(self, heard: int) -> int:
        """Return ``heard``: speakers are known as soon as audio is processed."""
        return heard

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Segment voices up to sample ``heard``; return the first sample still needed."""
        return min(heard, await self._voices.hear(audio, heard)) if self._voices else heard

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer) -> int:
        """Embed the segment's new windows; return the first sample still needed."""
        profile = self._profile
        if self._plan is None:
            self._plan = WindowPlan(number, profile.window_s, profile.hop_s)
        await self._add_windows(self._plan.grow(under_way), audio)
        if self._live:
            self._live.follow(number, under_way)
            if self._live.wants_first_look(number) and under_way.end_s - under_way.start_s >= FIRST_LOOK_S:
                await self._look(number, under_way, audio)
        needed_s = max(under_way.start_s, under_way.end_s - 2 * profile.window_s)
        return int(max(0.0, needed_s - MARGIN_S) * SAMPLE_RATE_HZ)

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Embed the last windows of a segment."""
        plan = self._plan or WindowPlan(number, self._profile.window_s, self._profile.hop_s)
        self._plan = None
        await self._add_windows(plan.finish(segment), audio)
        if self._live:
            self._live.close(number, segment)

    def abandon(self, number: int) -> None:
        """Discard a segment that was too short to be speech."""
        if self._live:
            self._live.abandon(number)

    def take_words(self, number: int, words: Sequence[RecognisedWord], *, complete: bool) -> None:
        """Pass words on to the live turns, where the session has any."""
        if self._live:
            self._live.take_words(number, list(words), complete=complete)

    async def changes(self, words_through_s: float) -> list[TurnEvent]:
        """Return the turns to emit now, after clustering anew where that is due; none unless live."""
        if self._live is None:
            return []
        if self._live.due:
            # Takes seconds in a meeting of hours; other sessions continue meanwhile.
            return await asyncio.to_thread(self._changes_anew, self._live, words_through_s)
        return self._live.changes(words_through_s)

    async def finish(self, audio: AudioBuffer) -> None:
        """Embed the remaining windows and segment the remaining audio."""
        self._until_s = audio.end / SAMPLE_RATE_HZ
        await self._encode(at_least=1)
        if self._voices:
            await self._voices.finish(audio)

    def conclude(self, speech: Sequence[SpeechSegment], words: Sequence[RecognisedWord]) -> SettledSpeakers:
        """Cluster all windows; return segments, their words and the speakers' embeddings."""
        if not self._windows:
            return SettledSpeakers([], {}, VoiceProfiles.of_nobody(self._profile.dimension))
        vectors = np.concatenate(self._vectors)
        centroids = cluster_speakers(vectors, self._profile, self._expected, self._alone())
        segments = self._segments(speech, vectors, centroids)
        voices = profiles_of(segments, self._windows, vectors, self._profile.hop_s)
        return SettledSpeakers(segments, words_by_segment(segments, words), voices)

    def _segments(
        self, speech: Sequence[SpeechSegment], vectors: NDArray[np.float32], centroids: NDArray[np.float32]
    ) -> list[SpeakerSegment]:
        if self._voices is None:
            return assign_speakers(speech, self._windows, vectors, centroids)
        heard = self._voices.heard
        middles_s = np.array([window.middle_s for window in self._windows])
        everything = united(speech, heard_speech(heard, self._until_s))
        return overlapped_segments(everything, heard, Similarity(middles_s, vectors @ centroids.T))

    def revision_of(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        return self._live.revision_of(segment_id) if self._live else 0

    def _changes_anew(self, live: LiveTurns, words_through_s: float) -> list[TurnEvent]:
        live.recluster(np.concatenate(self._vectors), self._alone())
        return live.changes(words_through_s)

    def _alone(self) -> NDArray[np.float32] | None:
        """Return each window's share of single-voice speech, shape (windows,); None without a segmenter."""
        return alone_shares(self._voices.heard, self._windows) if self._voices else None

    async def _look(self, number: int, under_way: SpeechSegment, audio: AudioBuffer) -> None:
        window = audio.span_s(under_way.start_s, under_way.end_s).copy()
        (vector,) = await self._engine.encode(self._owner, [window])
        assert self._live is not None
        self._live.look(number, (under_way.start_s + under_way.end_s) / 2, vector)

    async def _add_windows(self, windows: list[Window], audio: AudioBuffer) -> None:
        self._waiting += [(window, audio.span_s(*window.heard()).copy()) for window in windows]
        await self._encode(at_least=1 if self._live else ENCODED_AT_ONCE)

    async def _encode(self, at_least: int) -> None:
        if len(self._waiting) < at_least:
            return
        windows, samples = zip(*self._waiting, strict=True)
        self._waiting = []
        vectors = await self._engine.encode(self._owner, samples)
        self._vectors.append(vectors)
        self._windows += windows
        if self._live:
            self._live.hear(windows, vectors)
