"""Which windows are of one voice: of several ways to cluster them, the one that a model of voices explains best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.diarization.agglomeration import Vectors, agglomerate, condensed, unit
from inference.diarization.mixture import Spread, fit_mixture
from inference.diarization.spectral import spectral_clusters
from inference.models import EncoderProfile

# Fewer windows than this are too few to find two voices in.
MIN_WINDOWS = 4
# Spectral clustering grows with the cube of its vectors: 400 take under a second.
SPECTRAL_VECTORS = 400
# All windows together weigh as much as so many at most: a voice is no perfect cloud, and with more
# evidence the model would find its moods and its places in the room. About a minute.
EVIDENCE_WINDOWS = 100
# Where average linkage is cut, as parts of the way from the similarity at which voices are told apart to 1.
# It begins with too many clusters rather than too few: the model unites, and never divides.
LINKAGE_CUTS = (0.1, 0.2, 0.3)


def cluster_speakers(vectors: Vectors, profile: EncoderProfile, expected: int | None = None) -> Vectors:
    """One centroid a speaker.

    Args:
        vectors: shape (n, d), unit length, one a window of ``profile.hop_s``.
        expected: the number of speakers where it is known: never more are found. Else it is
            estimated, at most ``profile.max_speakers``.

    Returns:
        Centroids of shape (speakers, d), unit length; at least one. The same vectors give the same centroids.
        Time and memory are bounded by two-level clustering.
    """
    if len(vectors) < MIN_WINDOWS or expected == 1:
        return unit(vectors.mean(0, keepdims=True))
    groups, members = condensed(vectors, SPECTRAL_VECTORS)
    weights = np.bincount(members).astype(np.float64) * min(1.0, EVIDENCE_WINDOWS / len(vectors))
    spread = _spread(profile)
    fits = [fit_mixture(groups, weights, labels, spread) for labels in _guesses(groups, profile, expected)]
    labels = max(fits, key=lambda fit: fit.evidence).labels[members]
    fewest = 1 if expected else max(2, round(profile.min_cluster_s / profile.hop_s))
    centroids, sizes = _centroids(vectors, labels, fewest)
    if expected is not None:
        return _united(centroids, sizes, expected)
    return _merge(vectors, _united(centroids, sizes, profile.max_speakers), profile.merge_similarity)


def _spread(profile: EncoderProfile) -> Spread:
    """What the similarity that tells voices apart says of them.

    Windows of one voice are on average half-way between it and 1, those of two voices as far under it.
    """
    apart = profile.split_similarity
    within = (1 - apart) / 2
    return Spread(within=within, between=1 - apart)


def _guesses(groups: Vectors, profile: EncoderProfile, expected: int | None) -> list[NDArray[np.int64]]:
    """Labels to begin with, from 0 without gaps."""
    apart = profile.split_similarity
    guesses = [agglomerate(groups, distance=(1 - apart) * (1 - cut)) for cut in LINKAGE_CUTS]
    guesses.append(spectral_clusters(groups, profile.max_speakers, expected))
    return [np.unique(labels, return_inverse=True)[1].astype(np.int64) for labels in guesses]


def _centroids(vectors: Vectors, labels: NDArray[np.int64], fewest: int) -> tuple[Vectors, NDArray[np.float64]]:
    """Centroids and sizes of the clusters of at least ``fewest`` windows; of the largest where none has so many."""
    counts = np.bincount(labels)
    kept = [label for label in range(len(counts)) if counts[label] >= fewest] or [int(counts.argmax())]
    return unit(np.stack([vectors[labels == label].mean(0) for label in kept])), counts[kept].astype(np.float64)


def _united(centroids: Vectors, sizes: NDArray[np.float64], most: int) -> Vectors:
    """At most so many centroids: those are united whose union costs least (Ward 1963)."""
    centroids, sizes = centroids.copy(), sizes.copy()
    while len(centroids) > most:
        cost = (1 - centroids @ centroids.T) * np.outer(sizes, sizes) / np.add.outer(sizes, sizes)
        np.fill_diagonal(cost, np.inf)
        first, second = sorted(divmod(int(cost.argmin()), len(centroids)))
        centroids[first] = unit((centroids[[first, second]] * sizes[[first, second], None]).sum(0, keepdims=True))[0]
        sizes[first] += sizes[second]
        centroids, sizes = np.delete(centroids, second, 0), np.delete(sizes, second)
    return centroids


def _merge(vectors: Vectors, centroids: Vectors, similarity: float) -> Vectors:
    """Centroids no two of which are as alike as one voice is to itself."""
    while len(centroids) > 1:
        alike = centroids @ centroids.T - 2 * np.eye(len(centroids))
        first, second = sorted(divmod(int(alike.argmax()), len(centroids)))
        if alike[first, second] < similarity:
            break
        nearest = (vectors @ centroids.T).argmax(1)
        nearest[nearest == second] = first
        kept = [label for label in range(len(centroids)) if label != second]
        members = [vectors[nearest == label] for label in kept]
        centroids = unit(
            np.stack([own.mean(0) if len(own) else centroids[i] for i, own in zip(kept, members, strict=True)])
        )
    return centroids
