"""Vectors of sentences that can be compared, and what centrality makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.conversation import ENGLISH, Sentence
from server.insights.word_vectors import word_vectors

DAMPING = 0.85
# Similarity under this is chance between any two sentences of a meeting; by words, those that share none are not alike.
MIN_SIMILARITY, MIN_SIMILARITY_OF_WORDS = 0.1, 0.0
MAX_VOTERS = 4000
# The model's vectors are compared where at least so many of the sentences have one; the rest is left out then.
MODEL_SHARE = 0.9


class Compared(NamedTuple):
    """Sentences with vectors of one kind."""

    sentences: list[Sentence]
    vectors: NDArray[np.float64]
    """(n, d), of unit length."""
    by_words: bool
    """Whether the vectors count words; else a model made them."""

    @property
    def min_similarity(self) -> float:
        """The cosine under which two of the sentences are alike by chance."""
        return MIN_SIMILARITY_OF_WORDS if self.by_words else MIN_SIMILARITY


def comparable(sentences: Sequence[Sentence]) -> Compared:
    """The sentences that can be compared with one another, with their vectors: the only place that chooses these.

    The model that makes vectors knows English. Where nearly all the sentences have its vectors, those; else all of them
    get vectors of the words in them, which need no model and know no language. The two kinds are never mixed. English
    sentences that no model has read are left out.
    """
    said = [s for s in sentences if s.vector or s.language != ENGLISH]
    read = [s for s in said if s.vector]
    if len(read) < MODEL_SHARE * len(said):
        return Compared(said, word_vectors([s.text for s in said]), by_words=True)
    vectors = [np.frombuffer(s.vector, "<f2").astype(np.float64) for s in read]
    return Compared(read, np.stack(vectors) if vectors else np.zeros((0, 0)), by_words=False)


def centrality(vectors: NDArray[np.float64], min_similarity: float = MIN_SIMILARITY) -> NDArray[np.float64]:
    """How central each sentence is among all: continuous LexRank (Erkan and Radev 2004). (n, d) -> (n,), sums to 1.

    Of more than 4000 sentences (three hours of talk) an even choice of 4000 votes on all, so that memory is
    bounded by 64 MB.
    """
    n = len(vectors)
    voters = vectors[np.linspace(0, n - 1, min(n, MAX_VOTERS)).round().astype(int)].astype(np.float32)
    shares, sums = _shares(voters, min_similarity)
    rank = np.full(len(voters), 1 / len(voters), np.float32)
    for _ in range(100):
        following = (1 - DAMPING) / len(voters) + DAMPING * (rank @ shares)
        settled = np.abs(following - rank).sum() < 1e-6
        rank = following
        if settled:
            break
    if len(voters) < n:
        weights = rank / sums
        blocks = (vectors[first : first + MAX_VOTERS].astype(np.float32) for first in range(0, n, MAX_VOTERS))
        votes = [weights @ _similarity(voters, block, min_similarity) for block in blocks]
        rank = np.asarray((1 - DAMPING) / n + DAMPING * np.concatenate(votes), np.float32)
    return np.asarray(rank / rank.sum(), np.float64)


def _similarity(rows: NDArray[np.float32], columns: NDArray[np.float32], least: float) -> NDArray[np.float32]:
    """Cosine similarity where it is more than chance, else 0. (n, d), (m, d) -> (n, m)."""
    similarity = rows @ columns.T
    similarity[similarity < least] = 0
    return similarity


def _shares(vectors: NDArray[np.float32], least: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How each sentence shares its vote among the others, (n, n), rows summing to 1; and what its row summed to."""
    shares = _similarity(vectors, vectors, least)
    np.fill_diagonal(shares, 0)
    # A sentence like no other recommends all alike, else it would recommend itself.
    shares[shares.sum(axis=1) == 0] = 1 / len(vectors)
    sums = shares.sum(axis=1)
    shares /= sums[:, None]
    return shares, sums


def diverse(vectors: NDArray[np.float64], worth: NDArray[np.float64], most: int, similarity_cost: float) -> list[int]:
    """Indices of up to ``most`` rows, best first: worth minus similarity to those chosen.

    Maximal marginal relevance (Carbonell and Goldstein 1998); ``worth`` is scaled to 0..1 first.
    """
    scaled = worth / max(float(worth.max()), 1e-12)
    chosen: list[int] = []
    nearest = np.zeros(len(vectors))
    left = np.ones(len(vectors), np.bool_)
    while left.any() and len(chosen) < most:
        value = np.where(left, (1 - similarity_cost) * scaled - similarity_cost * nearest, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
        # The same said again is no second point.
        left &= nearest < 0.9
    return chosen
