"""Speakers who say too little for clustering to find them, where the segmentation is sure of a single voice.

A single-voice window is far more similar to its own speaker than to any other. Clustering cannot use that: most windows
similar to no speaker hold several voices, or a change of speaker.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.diarization.agglomeration import Vectors, agglomerate, condensed, unit
from inference.diarization.local_voices import VOICES, HeardVoices
from inference.diarization.windows import Window
from inference.models import EncoderProfile

# Share of single-voice speech from which a window surely holds one voice (docs/accuracy.md).
SURE = 0.5
# Shorter windows do not identify a speaker well, seconds.
MIN_WINDOW_S = 0.6
# Windows that make a speaker, at least, and their share of all windows: in hours of audio some coughs resemble one
# another.
MIN_WINDOWS, MIN_SHARE = 4, 1 / 500
# Maximum number of vectors compared with one another.
COMPARED_AT_ONCE = 400


def alone_shares(heard: HeardVoices, windows: Sequence[Window]) -> NDArray[np.float32]:
    """Return the share of single-voice speech in each window of the speaker encoder, shape (n,), 0..1.

    Averaged over the segmentation windows that overlap it; 0 where there is none yet, or the window is too short.
    """
    first = np.array([heard.grid.frame_at(window.start_s) for window in windows], np.int64)
    end = np.array([heard.grid.frame_at(window.end_s) for window in windows], np.int64)
    alone, frames = np.zeros(len(windows)), np.zeros(len(windows))
    for number in range(len(heard)):
        voices = heard.window(number)
        own = np.flatnonzero((first < voices.end) & (end > voices.first))
        length = len(voices.alone)
        sums = np.zeros((length + 1, VOICES))
        np.cumsum(voices.alone, axis=0, out=sums[1:])
        begin, until = np.clip(first[own] - voices.first, 0, length), np.clip(end[own] - voices.first, 0, length)
        alone[own] += (sums[until] - sums[begin]).max(1)
        frames[own] += until - begin
    long_enough = np.array([window.end_s - window.start_s >= MIN_WINDOW_S for window in windows], bool)
    return np.where(long_enough, alone / np.maximum(frames, 1), 0).astype(np.float32)


def with_rare_voices(
    vectors: Vectors, alone: NDArray[np.float32], centroids: Vectors, profile: EncoderProfile, most: int
) -> Vectors:
    """Add speakers whom clustering missed to its centroids.

    Single-voice windows similar to no speaker belong to another one where several of them are similar to each other.
    Speakers whom they were assigned to are re-estimated without them. The most frequent missed voice is added first;
    the search then repeats.

    Args:
        vectors: embeddings of windows, shape (n, d), unit length.
        alone: shape (n,), see ``alone_shares``.
        centroids: shape (speakers, d), unit length, at least one.
        profile: the encoder's thresholds.
        most: maximum number of speakers in all.
    """
    fewest = max(MIN_WINDOWS, round(MIN_SHARE * len(vectors)))
    nobody = _similarity_to_nobody(profile)
    while len(centroids) < most:
        scores = vectors @ centroids.T
        strange = (alone >= SURE) & (scores.max(1) < nobody)
        known = _estimated(vectors, np.where(strange, -1, scores.argmax(1)), centroids)
        voice = _most_frequent(vectors[strange], known, fewest, profile)
        if voice is None:
            break
        centroids = np.concatenate([known, voice])
    return centroids


def _similarity_to_nobody(profile: EncoderProfile) -> float:
    """Return the similarity below which a window rather belongs to somebody else: half-way from split to merge."""
    return (profile.split_similarity + profile.merge_similarity) / 2


def _estimated(vectors: Vectors, owners: NDArray[np.int64], centroids: Vectors) -> Vectors:
    """Re-estimate centroids from their windows; one without windows stays as it is."""
    own = [vectors[owners == number] for number in range(len(centroids))]
    return unit(np.stack([some.mean(0) if len(some) else centroids[number] for number, some in enumerate(own)]))


def _most_frequent(strange: Vectors, known: Vectors, fewest: int, profile: EncoderProfile) -> Vectors | None:
    """Return the centroid, shape (1, d), of the largest group of similar windows unlike any known speaker."""
    if len(strange) < fewest:
        return None
    groups, members = condensed(strange, COMPARED_AT_ONCE)
    nobody = _similarity_to_nobody(profile)
    alike = (profile.split_similarity + nobody) / 2
    labels = agglomerate(groups, distance=1 - alike)[members]
    counts = np.bincount(labels)
    for label in np.argsort(-counts, kind="stable"):
        if counts[label] < fewest:
            break
        voice = unit(strange[labels == label].mean(0, keepdims=True))
        if float((known @ voice[0]).max()) < nobody:
            return voice
    return None
