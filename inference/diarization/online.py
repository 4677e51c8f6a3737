"""Online speaker labels, provisional but stable.

Each window joins the nearest known voice or begins a new one. From time to time all windows are clustered as at the end
of a session; clusters take over the labels of the voices they overlap most, so that a label keeps meaning the same
person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from inference.diarization.clustering import cluster_speakers
from inference.diarization.resegmentation import (
    CHANGE_PENALTY,
    PROVISIONAL_CHANGE_PENALTY,
    SpeakerSegment,
    frame_middles_s,
    split_by_frames,
)
from inference.diarization.speech_segments import SpeechSegment
from inference.models import EncoderProfile

Vectors = NDArray[np.float32]
# Cluster anew when windows have grown by a fifth and by at least this much speech, seconds: early errors are corrected
# soon, and the cost stays a small share in a meeting of hours.
RECLUSTER_GROWTH, RECLUSTER_MIN_S = 1.2, 5.0
# Groups of windows that are clustered then, half of those at a session's end: a third of the time, for which the
# session's turns wait, and others' where many meetings began together.
RECLUSTERED_GROUPS = 200
# A frame stays with the speaker it was told of unless another's cosine is this much better.
HYSTERESIS = 0.05


class OnlineSpeakers:
    """Voices of one session; labels count from 1 in order of first windows."""

    def __init__(self, profile: EncoderProfile, expected: int | None) -> None:
        """``profile``: the encoder's thresholds; ``expected``: maximum number of speakers, None: the profile's."""
        self._profile, self._expected = profile, expected
        self._max_speakers = expected or profile.max_speakers
        self._sums = np.zeros((0, profile.dimension), np.float64)
        self._unit: NDArray[np.float64] | None = None  # unit-length sums; None: to be computed
        self._labels: list[int] = []
        self._counts: list[int] = []  # windows of each voice
        self._firsts: list[int] = []  # number of each voice's first window
        self._next_label = 1
        self._window_count = 0
        self._clustered = 0

    def assign(self, vectors: Vectors) -> None:
        """Assign the next windows to voices; embeddings of shape (n, d)."""
        for vector in vectors:
            self._window_count += 1
            if self._labels:
                similarity = self._centroids() @ vector
                nearest = int(similarity.argmax())
                if similarity[nearest] >= self._profile.online_similarity or len(self._labels) >= self._max_speakers:
                    self._sums[nearest] += vector
                    self._counts[nearest] += 1
                    self._unit = None
                    continue
            self._sums = np.vstack([self._sums, vector])
            self._unit = None
            self._labels.append(self._next_label)
            self._counts.append(1)
            self._firsts.append(self._window_count)
            self._next_label += 1

    @property
    def recluster_due(self) -> bool:
        """True when there is enough new speech to cluster anew."""
        min_windows = self._clustered + RECLUSTER_MIN_S / self._profile.hop_s
        return self._window_count >= max(min_windows, self._clustered * RECLUSTER_GROWTH)

    def recluster(self, vectors: Vectors, alone: NDArray[np.float32] | None = None) -> None:
        """Cluster all windows so far and carry labels over.

        Args:
            vectors: embeddings of all windows, shape (n, d).
            alone: see ``cluster_speakers``.
        """
        self._clustered = len(vectors)
        before = (vectors @ self._centroids().T).argmax(1)
        centroids = cluster_speakers(vectors, self._profile, self._expected, alone, RECLUSTERED_GROUPS)
        after = (vectors @ centroids.T).argmax(1)
        agreement = np.zeros((len(centroids), len(self._labels)))
        np.add.at(agreement, (after, before), 1)
        rows, columns = linear_sum_assignment(-agreement)
        kept = {
            int(row): self._labels[column] for row, column in zip(rows, columns, strict=True) if agreement[row, column]
        }
        for row in range(len(centroids)):
            if row not in kept:
                kept[row] = self._next_label
                self._next_label += 1
        counts = np.maximum(1, np.bincount(after, minlength=len(centroids)))
        self._labels = [kept[row] for row in range(len(centroids))]
        self._counts = counts.tolist()
        first_of = {int(row): index for index, row in reversed(list(enumerate(after)))}
        self._firsts = [first_of.get(row, len(after)) for row in range(len(centroids))]
        self._sums = centroids.astype(np.float64) * counts[:, None]
        self._unit = None

    def split(
        self,
        number: int,
        segment: SpeechSegment,
        middles_s: NDArray[np.float64],
        vectors: Vectors,
        told: Sequence[SpeakerSegment] = (),
        bonus: NDArray[np.float32] | None = None,
    ) -> list[SpeakerSegment]:
        """Split a speech segment at changes of speaker, ``speaker`` by label.

        Args:
            number: the speech segment's number.
            segment: the speech segment.
            middles_s: middles of the windows in it, or nearby, seconds, shape (n,), n > 0.
            vectors: their embeddings, shape (n, d).
            told: how it was split before, ``speaker`` by label: frames stay with their speaker if in doubt.
            bonus: added to the similarity of each of its 0.1 s frames to each voice, shape (frames, voices).
        """
        penalty = CHANGE_PENALTY if self._clustered else PROVISIONAL_CHANGE_PENALTY
        times = frame_middles_s(segment)
        scores = np.stack([np.interp(times, middles_s, column) for column in self.similarity(vectors).T], axis=1)
        if bonus is not None:
            scores += bonus
        columns = {label: column for column, label in enumerate(self._labels)}
        for span in told:
            if span.speaker in columns:
                held = slice(*np.searchsorted(times, (span.start_s, span.end_s)))
                scores[held, columns[span.speaker]] += HYSTERESIS
        found = split_by_frames(number, segment, scores, penalty)
        return [replace(span, speaker=self._labels[span.speaker]) for span in found]

    def margin(self, label: int, vectors: Vectors) -> float:
        """Return how much closer windows (n, d), n > 0, are to a voice than to any other, in cosine.

        0 while that is not known: before the first clustering, and with a single voice.
        """
        if not self._clustered or len(self._labels) < 2 or label not in self._labels:
            return 0.0
        mean = vectors.mean(0, keepdims=True)
        scores = self.similarity(mean / (np.linalg.norm(mean) + 1e-9))[0]
        column = self._labels.index(label)
        return float(scores[column] - np.delete(scores, column).max())

    @property
    def speech_s(self) -> dict[int, float]:
        """Seconds of speech of each current voice, by label, in the order of their first windows."""
        known = sorted(zip(self._firsts, self._labels, self._counts, strict=True))
        return {label: count * self._profile.hop_s for _, label, count in known}

    @property
    def labels(self) -> list[int]:
        """Labels of the current voices, in order of the columns of ``similarity``."""
        return list(self._labels)

    def similarity(self, vectors: Vectors) -> Vectors:
        """Return cosine similarities of windows (n, d) to voices, shape (n, voices)."""
        return np.asarray(vectors @ self._centroids().T, np.float32)

    @property
    def voices(self) -> int:
        """Number of voices told apart now."""
        return len(self._labels)

    def _centroids(self) -> NDArray[np.float64]:
        if self._unit is None:
            self._unit = self._sums / (np.linalg.norm(self._sums, axis=1, keepdims=True) + 1e-9)
        return self._unit
