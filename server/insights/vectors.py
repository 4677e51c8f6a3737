"""Sentence vectors as arrays, and what centrality makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.conversation import Sentence

DAMPING = 0.85
# Likeness under this is chance between any two sentences of a meeting.
LEAST_LIKENESS = 0.1
MOST_VOTERS = 4000


def vectors_of(sentences: Sequence[Sentence]) -> NDArray[np.float64]:
    """Vectors of sentences that have one, shape (n, d)."""
    return np.stack([np.frombuffer(s.vector, "<f2").astype(np.float64) for s in sentences])


def centrality(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """How central each sentence is among all: continuous LexRank (Erkan and Radev 2004). (n, d) -> (n,), sums to 1.

    Of more than 4000 sentences (three hours of talk) an even choice of 4000 votes on all, so that memory is
    bounded by 64 MB.
    """
    n = len(vectors)
    voters = vectors[np.linspace(0, n - 1, min(n, MOST_VOTERS)).round().astype(int)].astype(np.float32)
    shares, sums = _shares(voters)
    rank = np.full(len(voters), 1 / len(voters), np.float32)
    for _ in range(100):
        following = (1 - DAMPING) / len(voters) + DAMPING * (rank @ shares)
        settled = np.abs(following - rank).sum() < 1e-6
        rank = following
        if settled:
            break
    if len(voters) < n:
        weights = rank / sums
        blocks = (vectors[first : first + MOST_VOTERS].astype(np.float32) for first in range(0, n, MOST_VOTERS))
        rank = np.concatenate([(1 - DAMPING) / n + DAMPING * (weights @ _likeness(voters, block)) for block in blocks])
    return np.asarray(rank / rank.sum(), np.float64)


def _likeness(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine similarity where it is more than chance, else 0. (n, d), (m, d) -> (n, m)."""
    likeness = rows @ columns.T
    likeness[likeness < LEAST_LIKENESS] = 0
    return likeness


def _shares(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How each sentence shares its vote among the others, (n, n), rows summing to 1; and what its row summed to."""
    shares = _likeness(vectors, vectors)
    np.fill_diagonal(shares, 0)
    # A sentence like no other recommends all alike, else it would recommend itself.
    shares[shares.sum(axis=1) == 0] = 1 / len(vectors)
    sums = shares.sum(axis=1)
    shares /= sums[:, None]
    return shares, sums


def diverse(vectors: NDArray[np.float64], worth: NDArray[np.float64], most: int, likeness_cost: float) -> list[int]:
    """Indices of up to ``most`` rows, best first: worth minus likeness to those chosen.

    Maximal marginal relevance (Carbonell and Goldstein 1998); ``worth`` is scaled to 0..1 first.
    """
    scaled = worth / max(float(worth.max()), 1e-12)
    chosen: list[int] = []
    nearest = np.zeros(len(vectors))
    left = np.ones(len(vectors), np.bool_)
    while left.any() and len(chosen) < most:
        value = np.where(left, (1 - likeness_cost) * scaled - likeness_cost * nearest, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
        # The same said again is no second point.
        left &= nearest < 0.9
    return chosen
