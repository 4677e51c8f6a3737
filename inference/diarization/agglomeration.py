"""Groups of close vectors by average linkage, bounded in time and memory however many there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

Vectors = NDArray[np.float32]
# Agglomeration grows with the square: 4000 windows take about a second and 64 MB.
AGGLOMERATED_AT_ONCE = 4000
BLOCK, BLOCK_CLUSTERS = 2000, 400


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


def condensed(vectors: Vectors, most: int) -> tuple[Vectors, NDArray[np.int64]]:
    """At most ``most`` unit vectors that stand for groups of close ones, and the group of each vector given.

    Two levels: never more than 4000 vectors meet at once.
    """
    members = np.arange(len(vectors))
    groups = vectors
    while len(groups) > AGGLOMERATED_AT_ONCE:
        labels = np.zeros(len(groups), np.int64)
        for start in range(0, len(groups), BLOCK):
            block = groups[start : start + BLOCK]
            labels[start : start + len(block)] = labels.max() + 1 + agglomerate(block, clusters=BLOCK_CLUSTERS)
        labels = np.unique(labels, return_inverse=True)[1]
        groups, members = means(groups, labels), labels[members]
    if len(groups) > most:
        labels = agglomerate(groups, clusters=most)
        groups, members = means(groups, labels), labels[members]
    return groups, members


def means(vectors: Vectors, labels: NDArray[np.int64]) -> Vectors:
    """The mean of each label's vectors, unit length; labels are 0, 1, ... without gaps."""
    return unit(np.stack([vectors[labels == label].mean(0) for label in range(labels.max() + 1)]))


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Scaled to length 1, shape (n, d)."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9), np.float32)
