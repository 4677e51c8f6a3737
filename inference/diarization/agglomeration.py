"""Average-linkage clustering, bounded in time and memory for any number of vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

Vectors = NDArray[np.float32]
# Cost grows with the square of the vectors: 4000 take about a second and 64 MB.
MAX_AGGLOMERATED = 4000
BLOCK, BLOCK_CLUSTERS = 2000, 400


def agglomerate(vectors: Vectors, *, clusters: int | None = None, distance: float | None = None) -> NDArray[np.int64]:
    """Cluster vectors by cosine distance with average linkage.

    Args:
        vectors: shape (n, d).
        clusters: maximum number of clusters; None: ``distance`` decides.
        distance: cosine distance at which to cut, 0..2; read where ``clusters`` is None.

    Returns:
        Labels from 0, shape (n,).
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors), np.int64)
    tree = linkage(vectors, "average", metric="cosine")
    if clusters is not None:
        labels = fcluster(tree, clusters, "maxclust")
    else:
        assert distance is not None
        labels = fcluster(tree, distance, "distance")
    return np.asarray(labels, np.int64) - 1


def condense(vectors: Vectors, max_groups: int) -> tuple[Vectors, NDArray[np.int64]]:
    """Replace groups of close vectors by their means, in blocks: at most 4000 vectors are compared at once.

    Args:
        vectors: shape (n, d), unit length.
        max_groups: maximum number of groups.

    Returns:
        The groups' means, shape (groups, d), unit length, and the group of each vector, shape (n,).
    """
    members = np.arange(len(vectors))
    groups = vectors
    while len(groups) > MAX_AGGLOMERATED:
        labels = np.zeros(len(groups), np.int64)
        for start in range(0, len(groups), BLOCK):
            block = groups[start : start + BLOCK]
            labels[start : start + len(block)] = labels.max() + 1 + agglomerate(block, clusters=BLOCK_CLUSTERS)
        labels = np.unique(labels, return_inverse=True)[1]
        groups, members = cluster_means(groups, labels), labels[members]
    if len(groups) > max_groups:
        labels = agglomerate(groups, clusters=max_groups)
        groups, members = cluster_means(groups, labels), labels[members]
    return groups, members


def cluster_means(vectors: Vectors, labels: NDArray[np.int64]) -> Vectors:
    """Return the mean of each label's vectors, unit length; labels are 0, 1, ... without gaps."""
    return normalise(np.stack([vectors[labels == label].mean(0) for label in range(labels.max() + 1)]))


def normalise(vectors: NDArray[np.floating]) -> Vectors:
    """Scale vectors to unit length, shape (n, d)."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9), np.float32)
