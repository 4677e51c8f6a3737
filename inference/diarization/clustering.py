"""Which windows are of one voice: spectral clusters, split where they hold two voices, small ones dropped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from inference.diarization.spectral import spectral_clusters
from inference.models import EncoderProfile

Vectors = NDArray[np.float32]
# Fewer windows than this are too few to find two voices in.
FEWEST_WINDOWS = 6
# Spectral clustering grows with the cube of its vectors: 400 take under a second.
SPECTRAL_VECTORS = 400
# Agglomeration grows with the square: 4000 windows take about a second and 64 MB.
AGGLOMERATED_AT_ONCE = 4000
BLOCK, BLOCK_CLUSTERS = 2000, 400


def cluster_speakers(vectors: Vectors, profile: EncoderProfile, expected: int | None = None) -> Vectors:
    """One centroid a speaker.

    Args:
        vectors: shape (n, d), unit length, one a window of ``profile.hop_s``.
        expected: the number of speakers where it is known; else it is estimated, at most
            ``profile.max_speakers`` before splits.

    Returns:
        Centroids of shape (speakers, d), unit length; at least one. Time and memory are bounded
        by two-level clustering: never more than 4000 vectors meet at once.
    """
    if len(vectors) < FEWEST_WINDOWS or expected == 1:
        return _unit(vectors.mean(0, keepdims=True))
    micro, members = _micro_clusters(vectors)
    labels = spectral_clusters(micro, profile.max_speakers, expected)[members]
    if expected is not None:
        return _centroids(vectors, labels, 1)
    labels = _split(vectors, labels, profile)
    centroids = _centroids(vectors, labels, max(2, round(profile.min_cluster_s / profile.hop_s)))
    return _merge(vectors, centroids, profile.merge_similarity)


def _micro_clusters(vectors: Vectors) -> tuple[Vectors, NDArray[np.int64]]:
    """At most 400 unit vectors that stand for groups of close ones, and each input's group."""
    members = np.arange(len(vectors))
    micro = vectors
    while len(micro) > AGGLOMERATED_AT_ONCE:
        labels = np.zeros(len(micro), np.int64)
        for start in range(0, len(micro), BLOCK):
            block = micro[start : start + BLOCK]
            labels[start : start + len(block)] = labels.max() + 1 + agglomerate(block, clusters=BLOCK_CLUSTERS)
        labels = np.unique(labels, return_inverse=True)[1]
        micro, members = _means(micro, labels), labels[members]
    if len(micro) > SPECTRAL_VECTORS:
        labels = agglomerate(micro, clusters=SPECTRAL_VECTORS)
        micro, members = _means(micro, labels), labels[members]
    return micro, members


def agglomerate(vectors: Vectors, *, clusters: int | None = None, distance: float | None = None) -> NDArray[np.int64]:
    """Average-linkage clusters by cosine distance, cut at a number of clusters or at a distance; labels from 0."""
    if len(vectors) < 2:
        return np.zeros(len(vectors), np.int64)
    tree = linkage(vectors, "average", metric="cosine")
    if clusters is not None:
        labels = fcluster(tree, clusters, "maxclust")
    else:
        assert distance is not None
        labels = fcluster(tree, distance, "distance")
    return np.asarray(labels, np.int64) - 1


def _split(vectors: Vectors, labels: NDArray[np.int64], profile: EncoderProfile) -> NDArray[np.int64]:
    """Splits clusters whose parts are less alike than one voice is to itself."""
    split = labels * 1000
    for label in np.unique(labels):
        inside = np.flatnonzero(labels == label)
        if len(inside) >= 4:
            # Only a bounded number can meet at once; of a large cluster an even sample decides.
            step = -(-len(inside) // AGGLOMERATED_AT_ONCE)
            sample = inside[::step]
            parts = agglomerate(vectors[sample], distance=1 - profile.split_similarity)
            if step > 1:
                centres = _means(vectors[sample], np.unique(parts, return_inverse=True)[1])
                parts_of_all = (vectors[inside] @ centres.T).argmax(1)
                split[inside] = label * 1000 + parts_of_all
            else:
                split[inside] = label * 1000 + parts
    return np.asarray(np.unique(split, return_inverse=True)[1], np.int64)


def _centroids(vectors: Vectors, labels: NDArray[np.int64], fewest: int) -> Vectors:
    """Centroids of the clusters with at least ``fewest`` windows; of the largest where none has so many."""
    counts = np.bincount(labels)
    kept = [label for label in range(len(counts)) if counts[label] >= fewest] or [int(counts.argmax())]
    return _unit(np.stack([vectors[labels == label].mean(0) for label in kept]))


def _merge(vectors: Vectors, centroids: Vectors, similarity: float) -> Vectors:
    """Centroids no two of which are as alike as one voice is to itself: short solos are split by spectra alone."""
    while len(centroids) > 1:
        alike = centroids @ centroids.T - 2 * np.eye(len(centroids))
        first, second = sorted(divmod(int(alike.argmax()), len(centroids)))
        if alike[first, second] < similarity:
            break
        nearest = (vectors @ centroids.T).argmax(1)
        nearest[nearest == second] = first
        kept = [label for label in range(len(centroids)) if label != second]
        members = [vectors[nearest == label] for label in kept]
        centroids = _unit(
            np.stack([own.mean(0) if len(own) else centroids[i] for i, own in zip(kept, members, strict=True)])
        )
    return centroids


def _means(vectors: Vectors, labels: NDArray[np.int64]) -> Vectors:
    return _unit(np.stack([vectors[labels == label].mean(0) for label in range(labels.max() + 1)]))


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9), np.float32)
