"""Plain ways to cluster speaker vectors, for comparison: the same speech, windows, vectors and last pass as ours."""

from __future__ import annotations

import importlib.util

import numpy as np
from numpy.typing import NDArray

from benchmarks.diarization_runs import Method, Vectors
from inference.diarization import cluster_means, spectral_clusters
from inference.models import EncoderProfile

MIN_VECTORS = 3


def _centroids(vectors: Vectors, labels: NDArray[np.int64]) -> Vectors:
    return cluster_means(vectors, np.unique(labels, return_inverse=True)[1].astype(np.int64))


def spectral_alone(vectors: Vectors, profile: EncoderProfile) -> Vectors:
    """NME-SC (Park et al. 2020), as the default's first guess, and nothing after it."""
    if len(vectors) < MIN_VECTORS:
        return cluster_means(vectors, np.zeros(len(vectors), np.int64))
    return _centroids(vectors, spectral_clusters(vectors, profile.max_speakers))


def spectral_eigengap(vectors: Vectors, profile: EncoderProfile) -> Vectors:
    """scikit-learn's SpectralClustering on cosine similarities, the count by the largest gap of the eigenvalues."""
    from sklearn.cluster import SpectralClustering

    if len(vectors) < MIN_VECTORS:
        return cluster_means(vectors, np.zeros(len(vectors), np.int64))
    affinity = np.clip(vectors @ vectors.T, 0, 1).astype(np.float64)
    degrees = affinity.sum(1)
    laplacian = np.eye(len(vectors)) - affinity / np.sqrt(np.outer(degrees, degrees))
    gaps = np.diff(np.linalg.eigvalsh(laplacian)[: profile.max_speakers + 1])
    count = min(int(gaps.argmax()) + 1, len(vectors) - 1)
    if count == 1:
        return cluster_means(vectors, np.zeros(len(vectors), np.int64))
    found = SpectralClustering(count, affinity="precomputed", assign_labels="kmeans", random_state=0).fit(affinity)
    return _centroids(vectors, found.labels_)


class FixedThreshold:
    """scikit-learn's AgglomerativeClustering, average linkage, cut at a cosine distance."""

    def __init__(self, distance: float) -> None:
        self._distance = distance

    def __call__(self, vectors: Vectors, profile: EncoderProfile) -> Vectors:
        from sklearn.cluster import AgglomerativeClustering

        if len(vectors) < MIN_VECTORS:
            return cluster_means(vectors, np.zeros(len(vectors), np.int64))
        method = AgglomerativeClustering(
            n_clusters=None, metric="cosine", linkage="average", distance_threshold=self._distance
        )
        return _centroids(vectors, method.fit(vectors).labels_)


def spectralcluster_package(vectors: Vectors, profile: EncoderProfile) -> Vectors:
    """The package spectralcluster with the settings it names for ICASSP 2018 (Wang et al.)."""
    from spectralcluster import configs

    if len(vectors) < MIN_VECTORS:
        return cluster_means(vectors, np.zeros(len(vectors), np.int64))
    return _centroids(vectors, configs.icassp2018_clusterer.predict(vectors))


BASELINES: dict[str, Method] = {
    "scikit-learn spectral, eigengap": Method(cluster=spectral_eigengap),
    **{f"scikit-learn agglomerative, cut at {d}": Method(cluster=FixedThreshold(d)) for d in (0.5, 0.6, 0.7, 0.8)},
}
if importlib.util.find_spec("spectralcluster"):
    BASELINES["spectralcluster, ICASSP 2018"] = Method(cluster=spectralcluster_package)
