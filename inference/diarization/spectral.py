"""NME-SC: spectral clustering that tunes its neighbourhood size and number of clusters.

Source: Park, Han, Kumar, Narayanan, "Auto-Tuning Spectral Clustering for Speaker Diarization Using Normalized Maximum
Eigengap", IEEE Signal Processing Letters 27 (2020).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

# Largest neighbourhood tried, as a share of all vectors.
MAX_NEIGHBOURHOOD = 0.25
NEIGHBOURHOODS_TRIED = 20
SEED = 0


def spectral_clusters(
    vectors: NDArray[np.float32], max_clusters: int, clusters: int | None = None
) -> NDArray[np.int64]:
    """Cluster unit vectors of shape (n, d); return labels of shape (n,). Deterministic.

    Args:
        vectors: shape (n, d), unit length.
        max_clusters: maximum number of clusters that the normalised eigengap may choose.
        clusters: fixed number of clusters; None: chosen by the eigengap.
    """
    similarity = vectors @ vectors.T
    n = len(vectors)
    similarity = (similarity - similarity.min()) / (similarity.max() - similarity.min() + 1e-9)
    order = np.argsort(-similarity, axis=1)
    first, last = max(2, min(6, n // 4)), max(3, int(MAX_NEIGHBOURHOOD * n))
    best: tuple[float, int, NDArray[np.float64]] | None = None  # its Laplacian last
    for neighbours in np.unique(np.linspace(first, last, NEIGHBOURHOODS_TRIED).astype(int)):
        graph = np.zeros_like(similarity)
        np.put_along_axis(graph, order[:, :neighbours], 1, axis=1)
        graph = 0.5 * (graph + graph.T)
        np.fill_diagonal(graph, 0)
        laplacian = np.asarray(np.diag(graph.sum(1)) - graph, np.float64)
        # All eigenvalues without axes take half the time of both. Bisection for the few that count is no faster, and
        # fails (LAPACK's stebz) where a graph falls into parts that are not joined.
        eigenvalues = np.maximum(np.linalg.eigvalsh(laplacian), 0)
        gaps = np.diff(eigenvalues[: max_clusters + 1])
        normalised_gap = gaps.max() / (eigenvalues[-1] + 1e-9)
        ratio = float((neighbours / n) / (normalised_gap + 1e-9))
        if best is None or ratio < best[0]:
            best = (ratio, int(gaps.argmax()) + 1, laplacian)
    assert best is not None
    count = min(clusters or best[1], n)
    _, axes = eigh(best[2], subset_by_index=[0, count - 1])
    return k_means(axes, count)


def k_means(points: NDArray[np.float64], k: int, iterations: int = 50, tries: int = 8) -> NDArray[np.int64]:
    """Cluster points by k-means++ (Arthur and Vassilvitskii 2007), best of several seeded tries; labels (n,)."""
    random = np.random.RandomState(SEED)
    best: tuple[float, NDArray[np.int64]] | None = None
    for _ in range(tries):
        centres = _spread_centres(points, k, random)
        labels = np.zeros(len(points), np.int64)
        for _ in range(iterations):
            labels = ((points[:, None] - centres[None]) ** 2).sum(2).argmin(1)
            moved = np.array([points[labels == j].mean(0) if (labels == j).any() else centres[j] for j in range(k)])
            settled = np.allclose(centres, moved)
            centres = moved
            if settled:
                break
        spread = float(((points - centres[labels]) ** 2).sum())
        if best is None or spread < best[0]:
            best = (spread, labels)
    assert best is not None
    return best[1]


def _spread_centres(points: NDArray[np.float64], k: int, random: np.random.RandomState) -> NDArray[np.float64]:
    chosen = [points[random.randint(len(points))]]
    for _ in range(k - 1):
        distance = ((points[:, None] - np.array(chosen)[None]) ** 2).sum(2).min(1)
        weights = distance / distance.sum() if distance.sum() > 0 else None
        chosen.append(points[random.choice(len(points), p=weights)])
    return np.array(chosen)
