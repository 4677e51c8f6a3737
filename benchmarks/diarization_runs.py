"""Diarization in one process: each recording is heard once, and ways to tell speakers apart are tried on it in no time.

The stages are the session's, without its queues: what the default method tells here is what a session tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from benchmarks.diarization_data import Case
from benchmarks.scoring import SpokenInterval, diarization_error_rate, jaccard_error_rate
from inference.catalogue import CAMPPLUS, SEGMENTATION, SILERO_VAD, locate
from inference.diarization import (
    CHANGE_PENALTY,
    EncoderWindow,
    SegmentedWindows,
    Similarity,
    SpeechRule,
    SpeechSegment,
    SpeechSegmenter,
    WindowPlan,
    assign_speakers,
    cluster_speakers,
    detected_speech,
    diarize_with_overlap,
    join_speech,
    single_voice_shares,
)
from inference.models import SAMPLE_RATE_HZ, EncoderProfile, Samples, SpeakerEncoder, StreamInput
from inference.onnx.speakers import CampplusEncoder, PyannoteSegmenter
from inference.onnx.speech import SileroVad
from inference.session.session import BLOCK_WINDOWS, PRIOR_LEVEL_DBFS, PRIOR_S, TARGET_RMS
from inference.speakers import empty_segmented_windows

COLLAR_S = 0.25
Vectors = NDArray[np.float32]
# Vectors (n, d) and the encoder's profile in, centroids (speakers, d) out.
Clustering = Callable[[Vectors, EncoderProfile], Vectors]


class SegmentationUse(Enum):
    """What the segmentation of voices is used for."""

    NONE = "one speaker at a time"
    OVERLAP = "who has the floor, and who speaks beside"
    OVERLAP_AND_SPEECH = "and speech that the detector did not find"


@dataclass(frozen=True, slots=True)
class Method:
    """A way to diarize; by default the product's own."""

    rule: SpeechRule = field(default_factory=SpeechRule)
    cluster: Clustering | None = None
    """In place of the product's own."""
    change_penalty: float = CHANGE_PENALTY
    """Where one speaker is heard at a time."""
    segmentation: SegmentationUse = SegmentationUse.OVERLAP_AND_SPEECH
    rare_voices: bool = True
    """The product's own clusters look for speakers who say little, where the segmentation tells voices apart."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one recording, or means over several; rates in percent."""

    der: float
    der_collar: float
    jer: float
    speakers_off: float
    """By how many speakers the number found is wrong."""


class Recordings:
    """Cases with what the models say of them, each asked once."""

    def __init__(self, cases: Sequence[Case], encoder: SpeakerEncoder | None = None) -> None:
        """``encoder``: in place of the default one."""
        self.cases = list(cases)
        self._segmenter = PyannoteSegmenter(locate(SEGMENTATION))
        self._voices: dict[int, SegmentedWindows] = {}
        self._vad, self._encoder = SileroVad(locate(SILERO_VAD)), encoder or CampplusEncoder(locate(CAMPPLUS))
        self._probabilities = [self._speech_probabilities(case.samples) for case in self.cases]
        self._vectors: list[dict[tuple[float, float], Vectors]] = [{} for _ in self.cases]

    @property
    def profile(self) -> EncoderProfile:
        return self._encoder.profile

    def diarize(self, number: int, method: Method) -> list[SpokenInterval]:
        """Who speaks when in case ``number``."""
        speech = self.speech(number, method.rule)
        windows, vectors = self.windows(number, method.rule)
        if not windows:
            return []
        segmented = self._voices.get(number) or self._segment_voices(self.cases[number].samples)
        self._voices[number] = segmented
        alone = (
            single_voice_shares(segmented, windows)
            if method.rare_voices and method.segmentation is not SegmentationUse.NONE
            else None
        )
        if method.cluster is None:
            centroids = cluster_speakers(vectors, self.profile, alone=alone)
        else:
            centroids = method.cluster(vectors, self.profile)
        if method.segmentation is SegmentationUse.NONE:
            segments = assign_speakers(speech, windows, vectors, centroids, method.change_penalty)
        else:
            middles_s = np.array([window.middle_s for window in windows])
            if method.segmentation is SegmentationUse.OVERLAP_AND_SPEECH:
                speech = join_speech(speech, detected_speech(segmented, self.cases[number].duration_s))
            segments = diarize_with_overlap(speech, segmented, Similarity(middles_s, vectors @ centroids.T))
        return [SpokenInterval(s.start_s, s.end_s, str(s.speaker)) for s in segments]

    def score(self, number: int, found: list[SpokenInterval]) -> Scores:
        """Case ``number``: overlap scored, the whole file."""
        case = self.cases[number]
        return Scores(
            diarization_error_rate(case.truth, found, case.duration_s, 0.0),
            diarization_error_rate(case.truth, found, case.duration_s, COLLAR_S),
            jaccard_error_rate(case.truth, found, case.duration_s),
            abs(len({i.speaker for i in found}) - len({i.speaker for i in case.truth})),
        )

    def scores(self, method: Method) -> list[Scores]:
        """Of every case."""
        return [self.score(number, self.diarize(number, method)) for number in range(len(self.cases))]

    def _speech_probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Probabilities of speech, at the level that a session brings the audio to."""
        window = self._vad.window_samples
        padded = np.zeros(-(-len(samples) // window) * window, np.float32)
        padded[: len(samples)] = samples
        prior_samples = PRIOR_S * SAMPLE_RATE_HZ
        energy, block = prior_samples * 10 ** (PRIOR_LEVEL_DBFS / 10), BLOCK_WINDOWS * window
        for start in range(0, len(padded), block):
            samples_of_block = padded[start : start + block]
            energy += float(np.square(samples_of_block, dtype=np.float64).sum())
            gain = TARGET_RMS / np.sqrt(energy / (start + len(samples_of_block) + prior_samples) + 1e-9)
            padded[start : start + block] = np.clip(samples_of_block * np.float32(gain), -1, 1)
        ((probabilities, _),) = self._vad([StreamInput(padded, self._vad.initial_state())])
        return probabilities

    def _segment_voices(self, samples: Samples) -> SegmentedWindows:
        """Windows of voices as a session hears them."""
        model = self._segmenter
        segmented = empty_segmented_windows(model)
        step = segmented.hop_frames * model.frame_samples
        for start in range(0, max(1, len(samples) - model.window_samples + step), step):
            (classes,) = model([samples[start : start + model.window_samples]])
            segmented.append(classes)
        return segmented

    def speech(self, number: int, rule: SpeechRule | None = None) -> list[SpeechSegment]:
        """Speech segments of case ``number``; by the product's own rule unless another is given."""
        segmenter = SpeechSegmenter(self._vad.window_samples / SAMPLE_RATE_HZ, rule or SpeechRule())
        closed = segmenter.push(self._probabilities[number])
        return closed + segmenter.finish(self.cases[number].duration_s)

    def windows(self, number: int, rule: SpeechRule | None = None) -> tuple[list[EncoderWindow], Vectors]:
        """The windows of the speech in case ``number``, and their vectors, shape (windows, d)."""
        speech = self.speech(number, rule)
        plans = (WindowPlan(index, self.profile.window_s, self.profile.hop_s) for index in range(len(speech)))
        windows = [window for plan, segment in zip(plans, speech, strict=True) for window in plan.finish(segment)]
        return windows, self._embed(number, windows)

    def _embed(self, number: int, windows: list[EncoderWindow]) -> Vectors:
        known, samples = self._vectors[number], self.cases[number].samples
        missing = list(dict.fromkeys(window.encoder_span() for window in windows if window.encoder_span() not in known))
        spans = [
            samples[max(0, round(start * SAMPLE_RATE_HZ)) : max(0, round(end * SAMPLE_RATE_HZ))]
            for start, end in missing
        ]
        known.update(zip(missing, self._encoder(spans), strict=True))
        vectors = [known[window.encoder_span()] for window in windows]
        return np.stack(vectors) if vectors else np.zeros((0, self.profile.dimension), np.float32)


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """Every recording counts the same."""
    names = ("der", "der_collar", "jer", "speakers_off")
    return Scores(*(fmean(getattr(score, name) for score in scores) for name in names))
