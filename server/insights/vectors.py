"""Sentence vectors as arrays, and what centrality makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.conversation import Sentence

DAMPING = 0.85
# Likeness under this is chance between any two sentences of a meeting.
LEAST_LIKENESS = 0.1


def vectors_of(sentences: Sequence[Sentence]) -> NDArray[np.float64]:
    """Vectors of sentences that have one, shape (n, d)."""
    return np.stack([np.frombuffer(s.vector, "<f2").astype(np.float64) for s in sentences])


def centrality(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """How central each sentence is among all: continuous LexRank (Erkan and Radev 2004). (n, d) -> (n,), sums to 1."""
    likeness = np.clip(vectors @ vectors.T, 0, None)
    likeness[likeness < LEAST_LIKENESS] = 0
    np.fill_diagonal(likeness, 0)
    n = len(vectors)
    # A sentence like no other recommends all alike, else it would recommend itself.
    likeness[likeness.sum(axis=1) == 0] = 1 / n
    shares = likeness / likeness.sum(axis=1, keepdims=True)
    rank = np.full(n, 1 / n)
    for _ in range(100):
        following = (1 - DAMPING) / n + DAMPING * (rank @ shares)
        if np.abs(following - rank).sum() < 1e-8:
            break
        rank = following
    return np.asarray(rank / rank.sum())


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
