"""Speakers who say too little for clustering to find them, where the segmentation is sure of a single voice.

A single-voice window is far more similar to its own speaker than to any other. Clustering cannot use that: most windows
similar to no speaker hold several voices, or a change of speaker.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.diarization.agglomeration import Vectors, agglomerate, condense, normalise
from inference.diarization.segmented_windows import VOICES, SegmentedWindows
from inference.diarization.windows import EncoderWindow
from inference.models import EncoderProfile

# Share of single-voice speech from which a window surely holds one voice (docs/accuracy.md).
MIN_SINGLE_VOICE_SHARE = 0.5
# Shorter windows do not identify a speaker well, seconds.
MIN_WINDOW_S = 0.6
# Windows that make a speaker, at least, and their share of all windows: in hours of audio some coughs resemble one
# another.
MIN_WINDOWS, MIN_SHARE = 4, 1 / 500
# Maximum number of vectors compared with one another.
MAX_COMPARED = 400


def single_voice_shares(segmented: SegmentedWindows, windows: Sequence[EncoderWindow]) -> NDArray[np.float32]:
    """Return the share of single-voice speech in each window of the speaker encoder, shape (n,), 0..1.

    Averaged over the segmentation windows that overlap it; 0 where there is none yet, or the window is too short.
    """
    first = np.array([segmented.grid.frame_at(window.start_s) for window in windows], np.int64)
    end = np.array([segmented.grid.frame_at(window.end_s) for window in windows], np.int64)
    alone, frames = np.zeros(len(windows)), np.zeros(len(windows))
    for number in range(len(segmented)):
        voices = segmented.window(number)
        own = np.flatnonzero((first < voices.end) & (end > voices.first))
        length = len(voices.alone)
        sums = np.zeros((length + 1, VOICES))
        np.cumsum(voices.alone, axis=0, out=sums[1:])
        begin, until = np.clip(first[own] - voices.first, 0, length), np.clip(end[own] - voices.first, 0, length)
        alone[own] += (sums[until] - sums[begin]).max(1)
        frames[own] += until - begin
    long_enough = np.array([window.end_s - window.start_s >= MIN_WINDOW_S for window in windows], bool)
    return np.where(long_enough, alone / np.maximum(frames, 1), 0).astype(np.float32)


def add_rare_voices(
    vectors: Vectors, alone: NDArray[np.float32], centroids: Vectors, profile: EncoderProfile, max_speakers: int
) -> Vectors:
    """Add speakers whom clustering missed to its centroids.

    Single-voice windows similar to no speaker belong to another one where several of them are similar to each other.
    Speakers whom they were assigned to are re-estimated without them. The most frequent missed voice is added first;
    the search then repeats.

    Args:
        vectors: embeddings of windows, shape (n, d), unit length.
        alone: shape (n,), see ``single_voice_shares``.
        centroids: shape (speakers, d), unit length, at least one.
        profile: the encoder's thresholds.
        max_speakers: maximum number of speakers in all.
    """
    min_windows = max(MIN_WINDOWS, round(MIN_SHARE * len(vectors)))
    stranger_similarity = _stranger_similarity(profile)
    while len(centroids) < max_speakers:
        scores = vectors @ centroids.T
        unmatched = (alone >= MIN_SINGLE_VOICE_SHARE) & (scores.max(1) < stranger_similarity)
        known = _re_estimate(vectors, np.where(unmatched, -1, scores.argmax(1)), centroids)
        voice = _most_frequent(vectors[unmatched], known, min_windows, profile)
        if voice is None:
            break
        centroids = np.concatenate([known, voice])
    return centroids


def _stranger_similarity(profile: EncoderProfile) -> float:
    """Return the similarity below which a window rather belongs to somebody else: half-way from split to merge."""
    return (profile.split_similarity + profile.merge_similarity) / 2


def _re_estimate(vectors: Vectors, owners: NDArray[np.int64], centroids: Vectors) -> Vectors:
    """Re-estimate centroids from their windows; one without windows stays as it is."""
    own = [vectors[owners == number] for number in range(len(centroids))]
    return normalise(
        np.stack([members.mean(0) if len(members) else centroids[number] for number, members in enumerate(own)])
    )


def _most_frequent(unmatched: Vectors, known: Vectors, min_windows: int, profile: EncoderProfile) -> Vectors | None:
    """Return the centroid, shape (1, d), of the largest group of similar windows unlike any known speaker."""
    if len(unmatched) < min_windows:
        return None
    groups, members = condense(unmatched, MAX_COMPARED)
    stranger_similarity = _stranger_similarity(profile)
    group_similarity = (profile.split_similarity + stranger_similarity) / 2
    labels = agglomerate(groups, distance=1 - group_similarity)[members]
    counts = np.bincount(labels)
    for label in np.argsort(-counts, kind="stable"):
        if counts[label] < min_windows:
            break
        voice = normalise(unmatched[labels == label].mean(0, keepdims=True))
        if float((known @ voice[0]).max()) < stranger_similarity:
            return voice
    return None
