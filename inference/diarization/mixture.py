"""Bayesian Gaussian mixture of voices: clusters without evidence vanish, and fits can be compared.

Voices are spread around their mean, and a voice's windows around the voice, both isotropically. This is the model of
VBx without its Markov chain and trained covariances: Landini, Profant, Diez, Burget, "Bayesian HMM clustering of
x-vector sequences (VBx) in speaker diarization", Computer Speech & Language 71 (2022), equations 17 to 25.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# VBx's acoustic and speaker scaling: overlapping windows and dependent dimensions count for less than their number, and
# each additional voice costs more relative to them.
ACOUSTIC_SCALE, SPEAKER_SCALE = 0.15, 0.45
# Initial weight of a vector in its own cluster.
FIRST_SHARE = 0.9
ITERATIONS = 20
CONVERGED = 0.01
# Clusters with less total weight than this are dropped.
VANISHED = 1e-3


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean squared distances of unit vectors."""

    within_voice: float
    """Between windows and their voice."""
    between_voices: float
    """Between voices and their common mean."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A fitted mixture."""

    evidence: float
    """Lower bound of the log evidence, scaled; comparable between fits of the same vectors."""
    labels: NDArray[np.int64]
    """Most likely cluster of each vector, shape (n,), from 0 without gaps."""


def fit_mixture(
    vectors: NDArray[np.float32], weights: NDArray[np.float64], labels: NDArray[np.int64], spread: Spread
) -> Mixture:
    """Fit the mixture by variational Bayes, from initial clusters until the evidence converges.

    Args:
        vectors: shape (n, d), unit length.
        weights: number of windows that each vector counts for, shape (n,).
        labels: initial clusters, shape (n,), from 0 without gaps.
        spread: expected distances within and between voices.
    """
    dimensions = vectors.shape[1]
    within, between = spread.within_voice / dimensions, spread.between_voices / dimensions
    offsets = vectors - np.average(vectors, axis=0, weights=weights)
    squares = (offsets**2).sum(1)
    count = int(labels.max()) + 1
    shares = np.full((len(vectors), count), (1 - FIRST_SHARE) / max(1, count - 1))
    shares[np.arange(len(vectors)), labels] = FIRST_SHARE if count > 1 else 1.0
    priors = np.full(count, 1 / count)
    evidence = -np.inf
    for iteration in range(ITERATIONS):
        weighted = shares * weights[:, None]
        sizes = weighted.sum(0)
        if iteration:
            present = sizes > VANISHED
            weighted, sizes = weighted[:, present], sizes[present]
            priors = sizes / sizes.sum()
        ratio = ACOUSTIC_SCALE / SPEAKER_SCALE / within
        variances = 1 / (1 / between + ratio * sizes)
        voices = ratio * variances[:, None] * (weighted.T @ offsets)
        distances = squares[:, None] - 2 * offsets @ voices.T + (voices**2).sum(1) + dimensions * variances
        likelihoods = np.log(priors) - 0.5 * ACOUSTIC_SCALE * distances / within
        best = likelihoods.max(1, keepdims=True)
        shares = np.exp(likelihoods - best)
        totals = shares.sum(1, keepdims=True)
        shares /= totals
        divergence = 0.5 * (
            dimensions * (np.log(variances / between) - variances / between + 1) - (voices**2).sum(1) / between
        )
        before, evidence = evidence, float(weights @ (best + np.log(totals))[:, 0] + SPEAKER_SCALE * divergence.sum())
        if evidence - before < CONVERGED:
            break
    return Mixture(evidence, np.unique(shares.argmax(1), return_inverse=True)[1].astype(np.int64))
