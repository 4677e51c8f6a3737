"""Voices that are heard too seldom for clusters to find them, where a segmentation is sure that one speaks alone.

In a window of one voice alone its vector is far liker to its own speaker's than to any other's. Clusters cannot use
that: most windows that are like no speaker are of several at once, or of one who gives way to another.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.diarization.agglomeration import Vectors, agglomerate, condensed, unit
from inference.diarization.local_voices import VOICES, HeardVoices
from inference.diarization.windows import Window
from inference.models import EncoderProfile

# A window is surely of one voice from this share on (docs/accuracy.md).
SURE = 0.5
# A window shorter than this does not say well who speaks, seconds.
MIN_WINDOW_S = 0.6
# A voice is one from so many windows on, and from such a share of all: in hours there are coughs enough to resemble one
# another.
MIN_WINDOWS, MIN_SHARE = 4, 1 / 500
# So many vectors are compared at once, each with every other.
COMPARED_AT_ONCE = 400


def alone_shares(heard: HeardVoices, windows: Sequence[Window]) -> NDArray[np.float32]:
    """How much of each window of the speaker encoder is of one voice and no other, shape (n,), 0 to 1.

    Means over the windows of voices that hold any of it; 0 where none was heard yet, and where it is too short.
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
    """The centroids of clusters, and those of voices that the clusters hold without having found them.

    Windows that are surely of one voice, and like no speaker, are of another where several of them are alike. A
    speaker whom they were given to is estimated again without them. The most frequent voice comes first; with
    it, the others are looked for again.

    Args:
        vectors: shape (n, d), unit length.
        alone: shape (n,), see ``alone_shares``.
        centroids: shape (speakers, d), unit length, at least one.
        most: so many speakers in all.
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
    """Under it a window is sooner of another than of the speaker: half-way between two voices and one heard twice."""
    return (profile.split_similarity + profile.merge_similarity) / 2


def _estimated(vectors: Vectors, owners: NDArray[np.int64], centroids: Vectors) -> Vectors:
    """The centroids by the windows whose owners they are; as they were where there is none."""
    own = [vectors[owners == number] for number in range(len(centroids))]
    return unit(np.stack([some.mean(0) if len(some) else centroids[number] for number, some in enumerate(own)]))


def _most_frequent(strange: Vectors, known: Vectors, fewest: int, profile: EncoderProfile) -> Vectors | None:
    """The centroid, shape (1, d), of the largest group of alike windows that is like nobody known."""
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
