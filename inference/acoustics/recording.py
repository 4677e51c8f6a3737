"""All acoustic measurements of a session, collected as audio arrives and read at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.acoustics.decay import decay_rates
from inference.acoustics.dropouts import DropoutDetector
from inference.acoustics.frames import FRAME_S, FrameAnalyzer
from inference.acoustics.music import MusicDetector
from inference.acoustics.quality import QualityScorer, ScoredWindow, Scorer, scores_around
from inference.models import OpinionScores, Samples
from inference.true_runs import true_runs

NOISE_PERCENTILE = 10
# Noise of a segment is measured within this distance, seconds.
NOISE_CONTEXT_S = 5.0
# Frames this close to speech still hold breath and echo, seconds.
GUARD_S = 0.2
# Music: seconds that stay tonal, loud enough, and that the detector does not take for speech.
MUSICAL_CONTINUITY = 0.5
MIN_MUSIC_DBFS = -50.0
MAX_SPEECH_IN_MUSIC = 0.5
MIN_MUSIC_S = 3


@dataclass(frozen=True, slots=True)
class SegmentAcoustics:
    """Acoustics of one segment; the units are those of ``Acoustics`` in session.proto."""

    level_dbfs: float
    noise_dbfs: float | None
    voiced_s: float
    pitch_semitones: float | None
    pitch_spread_semitones: float | None
    clipping_percent: float
    scores: OpinionScores | None
    decays_db_per_s: tuple[float, ...]
    gaps: int
    gap_s: float


@dataclass(frozen=True, slots=True)
class RecordingAcoustics:
    """Acoustics of the whole recording."""

    noise_dbfs: float | None
    music: tuple[tuple[float, float], ...]
    """Start and end of each span of music, seconds."""


class AcousticsCollector:
    """Collects the acoustic measurements of one session."""

    def __init__(self, window_samples: int, scorer: Scorer, *, live: bool) -> None:
        """``scorer`` scores windows of ``window_samples``; in a ``live`` session it may finish late."""
        self._frames = FrameAnalyzer()
        self._dropouts = DropoutDetector()
        self._music = MusicDetector()
        self._quality = QualityScorer(window_samples, scorer, live=live)
        self._scored: list[ScoredWindow] = []
        self._speech = np.zeros(0, np.bool_)

    async def score(self, samples: Samples, probabilities: NDArray[np.float32]) -> None:
        """Score the samples just measured.

        Args:
            samples: shape (n,).
            probabilities: of speech, for the detector's windows in ``samples``, 0..1.
        """
        await self._quality.push(samples, probabilities)

    def measure(self, samples: Samples) -> None:
        """Measure the next samples, shape (n,), as recorded. Takes milliseconds: run it off the event loop."""
        self._frames.push(samples)
        self._dropouts.push(samples)
        self._music.push(samples)

    async def finish(self, speech: Sequence[tuple[float, float]]) -> None:
        """Finish all measurements. ``speech``: start and end of every span of speech, seconds."""
        self._frames.finish()
        self._scored = await self._quality.finish()
        self._speech = self._mask(speech, 0.0)
        self._quiet = ~self._mask(speech, GUARD_S)

    async def close(self) -> None:
        """Cancel pending windows and wait until they have stopped."""
        await self._quality.close()

    def _mask(self, spans: Sequence[tuple[float, float]], guard_s: float) -> NDArray[np.bool_]:
        mask = np.zeros(len(self._frames.level_dbfs), np.bool_)
        for start_s, end_s in spans:
            mask[self._slice(start_s - guard_s, end_s + guard_s)] = True
        return mask

    @staticmethod
    def _slice(start_s: float, end_s: float) -> slice:
        return slice(max(0, round(start_s / FRAME_S)), max(0, round(end_s / FRAME_S)))

    def _noise(self, where: slice) -> float | None:
        quiet = self._frames.level_dbfs[where][self._quiet[where]]
        return float(np.percentile(quiet, NOISE_PERCENTILE)) if len(quiet) else None

    def segment(self, start_s: float, end_s: float) -> SegmentAcoustics:
        """Return the acoustics of a span, seconds; call after ``finish``."""
        where = self._slice(start_s, end_s)
        levels = self._frames.level_dbfs[where]
        pitch = self._frames.pitch_semitones[where]
        voiced = pitch[~np.isnan(pitch)]
        noise = self._noise(self._slice(start_s - NOISE_CONTEXT_S, end_s + NOISE_CONTEXT_S))
        gaps = [end - start for start, end in self._dropouts.gaps if start_s <= start < end_s]
        power = float(np.mean(10 ** (levels.astype(np.float64) / 10))) if len(levels) else 0.0
        return SegmentAcoustics(
            level_dbfs=float(10 * np.log10(max(power, 1e-10))),
            noise_dbfs=noise,
            voiced_s=len(voiced) * FRAME_S,
            pitch_semitones=float(np.mean(voiced)) if len(voiced) else None,
            pitch_spread_semitones=float(np.std(voiced)) if len(voiced) else None,
            clipping_percent=float(100 * np.mean(self._frames.clipped_share[where])) if len(levels) else 0.0,
            scores=scores_around(self._scored, start_s, end_s),
            decays_db_per_s=tuple(map(float, decay_rates(levels, noise if noise is not None else -90.0))),
            gaps=len(gaps),
            gap_s=float(sum(gaps)),
        )

    def recording(self) -> RecordingAcoustics:
        """Return the acoustics of the whole recording; call after ``finish``."""
        return RecordingAcoustics(self._noise(slice(None)), tuple(self._musical_spans()))

    def _musical_spans(self) -> list[tuple[float, float]]:
        frames = round(1 / FRAME_S)
        tonal = self._music.continuity >= MUSICAL_CONTINUITY
        seconds = len(tonal)
        levels = self._frames.level_dbfs[: seconds * frames].reshape(seconds, frames).mean(axis=1)
        speech = self._speech[: seconds * frames].reshape(seconds, frames).mean(axis=1)
        musical = tonal & (levels >= MIN_MUSIC_DBFS) & (speech <= MAX_SPEECH_IN_MUSIC)
        return [(float(a), float(b)) for a, b in true_runs(musical) if b - a >= MIN_MUSIC_S]
