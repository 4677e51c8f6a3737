"""pyannote.audio's pipeline 3.1 on the same weights as ours: its segmentation and the default speaker encoder.

Source: Plaquet and Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization", Interspeech 2023,
and ``SpeakerDiarization`` of pyannote.audio 3.1. Windows of 10 s every second; of each the likeliest class of a frame;
an embedding of each voice of a window where it speaks alone; centroid linkage of these up to a distance; then as many
speakers a frame as the windows over it have in the mean, those that are active in most of them. The encoder hears at
most 2 s, so that the embedding of a voice is the mean over its pieces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist

from benchmarks.scoring import SpokenInterval
from inference.diarization import CLASS_VOICES, normalise
from inference.models import SAMPLE_RATE_HZ, Samples, SpeakerEncoder, VoiceSegmenter
from inference.true_runs import true_runs

HOP_S = 1.0
# Of pyannote/speaker-diarization-3.1: clusters of fewer voices of windows give theirs to the nearest others.
MIN_CLUSTER_SIZE = 12
PIECE_S, LEAST_S = 1.5, 0.4
Vectors = NDArray[np.float32]


class PyannoteLike:
    """The pipeline on one recording, which its models hear once."""

    def __init__(self, segmenter: VoiceSegmenter, encoder: SpeakerEncoder, samples: Samples) -> None:
        """``samples``: shape (n,), n > 0, 16 kHz."""
        self._segmenter, self._encoder, self._samples = segmenter, encoder, samples
        self._step = round(HOP_S * SAMPLE_RATE_HZ / segmenter.frame_samples)
        self._active = self._find_active(samples)
        self._keys, self._vectors = self._embed(samples, self._active)

    def diarize(self, distance: float) -> list[SpokenInterval]:
        """Return who speaks when, by a distance of unit vectors: 0.7046 is the published one, for another encoder."""
        active, keys = self._active, self._keys
        if not keys:
            return []
        labels = cluster(self._vectors, distance)
        by_speaker = np.zeros((*active.shape[:2], labels.max() + 1), np.bool_)
        for (window, voice), label in zip(keys, labels, strict=True):
            by_speaker[window, :, label] |= active[window, :, voice]
        frames = self._step * (len(active) - 1) + active.shape[1]
        count, covered = np.zeros(frames), np.zeros(frames)
        votes = np.zeros((frames, by_speaker.shape[2]))
        for window, voices in enumerate(active):
            span = slice(window * self._step, window * self._step + len(voices))
            covered[span] += 1
            count[span] += voices.sum(1)
            votes[span] += by_speaker[window]
        speaking = np.round(count / np.maximum(covered, 1)).astype(int)
        rank = np.argsort(np.argsort(-votes, axis=1, kind="stable"), axis=1)
        told = (rank < speaking[:, None]) & (votes > 0)
        return self._intervals(told, len(self._samples) / SAMPLE_RATE_HZ)

    def _find_active(self, samples: Samples) -> NDArray[np.bool_]:
        """Return which voice of which window speaks, shape (windows, frames, 3)."""
        hop = self._step * self._segmenter.frame_samples
        starts = range(0, max(1, len(samples) - self._segmenter.window_samples + hop), hop)
        classes = self._segmenter([samples[s : s + self._segmenter.window_samples] for s in starts])
        return np.asarray(CLASS_VOICES[np.stack(classes).argmax(2)] > 0)

    def _embed(self, samples: Samples, active: NDArray[np.bool_]) -> tuple[list[tuple[int, int]], Vectors]:
        """Return (window, voice) of each voice that speaks alone for long enough, and their unit vectors."""
        keys, vectors = [], []
        frame = self._segmenter.frame_samples
        for window, voices in enumerate(active):
            alone = voices & (voices.sum(1, keepdims=True) == 1)
            for voice in range(voices.shape[1]):
                spans = true_runs(alone[:, voice] if alone[:, voice].any() else voices[:, voice])
                base = window * self._step * frame + self._segmenter.first_frame_samples
                heard = [samples[base + a * frame : base + b * frame] for a, b in spans]
                speech = np.concatenate(heard) if heard else np.zeros(0, np.float32)
                if len(speech) < LEAST_S * SAMPLE_RATE_HZ:
                    continue
                pieces = np.array_split(speech, max(1, round(len(speech) / SAMPLE_RATE_HZ / PIECE_S)))
                keys.append((window, voice))
                vectors.append(self._encoder(pieces).mean(0))
        return keys, normalise(np.stack(vectors)) if vectors else np.zeros((0, 0), np.float32)

    def _intervals(self, told: NDArray[np.bool_], end_s: float) -> list[SpokenInterval]:
        frame_s = self._segmenter.frame_samples / SAMPLE_RATE_HZ
        first_s = self._segmenter.first_frame_samples / SAMPLE_RATE_HZ - frame_s / 2
        return [
            SpokenInterval(max(0.0, first_s + a * frame_s), min(end_s, first_s + b * frame_s), str(speaker))
            for speaker in range(told.shape[1])
            for a, b in true_runs(told[:, speaker])
            if first_s + a * frame_s < end_s
        ]


def cluster(vectors: Vectors, distance: float) -> NDArray[np.int64]:
    """Return the cluster of each unit vector, shape (n,), from 0 without gaps; small ones are dissolved."""
    if len(vectors) == 1:
        return np.zeros(1, np.int64)
    labels = fcluster(linkage(vectors, method="centroid", metric="euclidean"), distance, criterion="distance") - 1
    sizes = np.bincount(labels)
    # As pyannote does where there are few: the least size is a tenth of all.
    large = np.flatnonzero(sizes >= min(MIN_CLUSTER_SIZE, max(1, round(0.1 * len(vectors)))))
    if not len(large):
        return np.zeros(len(vectors), np.int64)
    centroids = np.stack([vectors[labels == label].mean(0) for label in large])
    nearest = cdist(vectors, centroids, "cosine").argmin(1)
    places = {int(label): place for place, label in enumerate(large)}
    return np.array([places.get(int(label), near) for label, near in zip(labels, nearest, strict=True)], np.int64)
