"""Speaker clustering: of several clusterings of the windows, the one that a mixture of voices explains best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.diarization.agglomeration import Vectors, agglomerate, condense, normalise
from inference.diarization.mixture import Spread, fit_mixture
from inference.diarization.rare_voices import add_rare_voices
from inference.diarization.spectral import spectral_clusters
from inference.models import EncoderProfile

# Fewer windows than this are too few to find two voices.
MIN_WINDOWS = 4
# Clustering grows with the cube of its vectors: of more windows, groups of close ones are clustered. 400 take 0.3 s.
MOST_GROUPS = 400
# All windows together count as at most this many (about a minute): a voice is no perfect Gaussian, and more evidence
# would split it by mood and distance from the microphone.
EVIDENCE_WINDOWS = 100
# Cuts of average linkage, as shares of the way from the split similarity to 1. They give too many clusters rather than
# too few, because the mixture merges clusters and never splits them.
LINKAGE_CUTS = (0.1, 0.2, 0.3)


def cluster_speakers(
    vectors: Vectors,
    profile: EncoderProfile,
    expected: int | None = None,
    alone: NDArray[np.float32] | None = None,
    most_groups: int = MOST_GROUPS,
) -> Vectors:
    """Cluster windows into speakers, in bounded time and memory. Deterministic.

    Args:
        vectors: embeddings of windows every ``profile.hop_s``, shape (n, d), unit length, n > 0.
        profile: the encoder's thresholds.
        expected: known number of speakers: never more are found; None: estimated, at most ``profile.max_speakers``.
        alone: share of single-voice speech in each window, shape (n,), 0..1 (see ``single_voice_shares``); where given,
            speakers who say little are found too.
        most_groups: maximum number of groups of close windows that are clustered.

    Returns:
        A centroid for each speaker, shape (speakers, d), unit length; at least one.
    """
    if len(vectors) < MIN_WINDOWS or expected == 1:
        return normalise(vectors.mean(0, keepdims=True))
    groups, members = condense(vectors, most_groups)
    weights = np.bincount(members).astype(np.float64) * min(1.0, EVIDENCE_WINDOWS / len(vectors))
    spread = _spread(profile)
    fits = [fit_mixture(groups, weights, labels, spread) for labels in _initial_clusterings(groups, profile, expected)]
    labels = max(fits, key=lambda fit: fit.evidence).labels[members]
    min_windows = 1 if expected else max(2, round(profile.min_cluster_s / profile.hop_s))
    centroids, sizes = _centroids(vectors, labels, min_windows)
    max_speakers = expected or profile.max_speakers
    centroids = _merge_to_count(centroids, sizes, max_speakers)
    if expected is None:
        centroids = _merge_similar(vectors, centroids, profile.merge_similarity)
    return centroids if alone is None else add_rare_voices(vectors, alone, centroids, profile, max_speakers)


def _spread(profile: EncoderProfile) -> Spread:
    """Derive the spread of voices from the split similarity.

    On average, windows of one voice are taken to be half-way between it and 1, those of two voices as far below it.
    """
    apart = profile.split_similarity
    within_voice = (1 - apart) / 2
    return Spread(within_voice=within_voice, between_voices=1 - apart)


def _initial_clusterings(groups: Vectors, profile: EncoderProfile, expected: int | None) -> list[NDArray[np.int64]]:
    """Return initial clusterings; labels of shape (n,), from 0 without gaps."""
    apart = profile.split_similarity
    clusterings = [agglomerate(groups, distance=(1 - apart) * (1 - cut)) for cut in LINKAGE_CUTS]
    clusterings.append(spectral_clusters(groups, profile.max_speakers, expected))
    return [np.unique(labels, return_inverse=True)[1].astype(np.int64) for labels in clusterings]


def _centroids(vectors: Vectors, labels: NDArray[np.int64], min_windows: int) -> tuple[Vectors, NDArray[np.float64]]:
    """Return centroids and sizes of clusters of at least ``min_windows`` windows; of the largest if all are smaller."""
    counts = np.bincount(labels)
    kept = [label for label in range(len(counts)) if counts[label] >= min_windows] or [int(counts.argmax())]
    return normalise(np.stack([vectors[labels == label].mean(0) for label in kept])), counts[kept].astype(np.float64)


def _merge_to_count(centroids: Vectors, sizes: NDArray[np.float64], max_speakers: int) -> Vectors:
    """Merge centroids, each time the pair that costs least (Ward 1963), until at most ``max_speakers`` are left."""
    centroids, sizes = centroids.copy(), sizes.copy()
    while len(centroids) > max_speakers:
        cost = (1 - centroids @ centroids.T) * np.outer(sizes, sizes) / np.add.outer(sizes, sizes)
        np.fill_diagonal(cost, np.inf)
        first, second = sorted(divmod(int(cost.argmin()), len(centroids)))
        merged = (centroids[[first, second]] * sizes[[first, second], None]).sum(0, keepdims=True)
        centroids[first] = normalise(merged)[0]
        sizes[first] += sizes[second]
        centroids, sizes = np.delete(centroids, second, 0), np.delete(sizes, second)
    return centroids


def _merge_similar(vectors: Vectors, centroids: Vectors, similarity: float) -> Vectors:
    """Merge centroids until no pair reaches the same-voice similarity."""
    while len(centroids) > 1:
        pair_similarity = centroids @ centroids.T - 2 * np.eye(len(centroids))
        first, second = sorted(divmod(int(pair_similarity.argmax()), len(centroids)))
        if pair_similarity[first, second] < similarity:
            break
        nearest = (vectors @ centroids.T).argmax(1)
        nearest[nearest == second] = first
        kept = [label for label in range(len(centroids)) if label != second]
        members = [vectors[nearest == label] for label in kept]
        centroids = normalise(
            np.stack([own.mean(0) if len(own) else centroids[i] for i, own in zip(kept, members, strict=True)])
        )
    return centroids
