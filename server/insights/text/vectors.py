"""Comparable sentence embeddings, and their centrality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.conversation import ENGLISH, Sentence
from server.insights.text.word_vectors import word_vectors

DAMPING = 0.85
# Lower similarity is chance between sentences of one meeting; by words, sentences without a common word have 0.
MIN_SIMILARITY, MIN_WORD_SIMILARITY = 0.1, 0.0
MAX_VOTERS = 4000
# Minimum share of sentences with model embeddings for these to be used; other sentences are then left out.
MODEL_SHARE = 0.9


class ComparableSentences(NamedTuple):
    """Sentences with embeddings of one kind."""

    sentences: list[Sentence]
    vectors: NDArray[np.float64]
    """Unit length, (n, d)."""
    from_words: bool
    """Whether the embeddings are word counts instead of a model's."""

    @property
    def min_similarity(self) -> float:
        """Cosine similarity below which two sentences are similar by chance only."""
        return MIN_WORD_SIMILARITY if self.from_words else MIN_SIMILARITY


def comparable_sentences(sentences: Sequence[Sentence]) -> ComparableSentences:
    """Return the sentences with embeddings of one kind; the single place that chooses the kind.

    The embedding model is English-only. If nearly all sentences have its embeddings, these are used; otherwise all get
    embeddings from word counts, which are language-independent. The kinds are never mixed. English sentences that were
    not analysed are left out.
    """
    eligible = [s for s in sentences if s.vector or s.language != ENGLISH]
    embedded = [s for s in eligible if s.vector]
    if len(embedded) < MODEL_SHARE * len(eligible):
        return ComparableSentences(eligible, word_vectors([s.text for s in eligible]), from_words=True)
    vectors = [np.frombuffer(s.vector, "<f2").astype(np.float64) for s in embedded]
    return ComparableSentences(embedded, np.stack(vectors) if vectors else np.zeros((0, 0)), from_words=False)


def centrality(vectors: NDArray[np.float64], min_similarity: float = MIN_SIMILARITY) -> NDArray[np.float64]:
    """Return the centrality of sentences by continuous LexRank (Erkan and Radev, 2004): (n, d) -> (n,), summing to 1.

    Beyond 4000 sentences (three hours of talk) an even sample of 4000 votes on all, which bounds memory to 64 MB.

    Args:
        vectors: unit-length embeddings.
        min_similarity: cosine similarity below which two sentences are similar by chance only.
    """
    n = len(vectors)
    voters = vectors[np.linspace(0, n - 1, min(n, MAX_VOTERS)).round().astype(int)].astype(np.float32)
    shares, sums = _shares(voters, min_similarity)
    rank = np.full(len(voters), 1 / len(voters), np.float32)
    for _ in range(100):
        next_rank = (1 - DAMPING) / len(voters) + DAMPING * (rank @ shares)
        settled = np.abs(next_rank - rank).sum() < 1e-6
        rank = next_rank
        if settled:
            break
    if len(voters) < n:
        weights = rank / sums
        blocks = (vectors[first : first + MAX_VOTERS].astype(np.float32) for first in range(0, n, MAX_VOTERS))
        votes = [weights @ _similarity(voters, block, min_similarity) for block in blocks]
        rank = np.asarray((1 - DAMPING) / n + DAMPING * np.concatenate(votes), np.float32)
    return np.asarray(rank / rank.sum(), np.float64)


def _similarity(rows: NDArray[np.float32], columns: NDArray[np.float32], min_similarity: float) -> NDArray[np.float32]:
    """Return the cosine similarity where it exceeds chance, else 0: (n, d), (m, d) -> (n, m)."""
    similarity = rows @ columns.T
    similarity[similarity < min_similarity] = 0
    return similarity


def _shares(vectors: NDArray[np.float32], min_similarity: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each sentence's votes for the others, (n, n) with rows summing to 1, and the row sums before scaling."""
    shares = _similarity(vectors, vectors, min_similarity)
    np.fill_diagonal(shares, 0)
    # A sentence without any similar one votes for all equally instead of for itself.
    shares[shares.sum(axis=1) == 0] = 1 / len(vectors)
    sums = shares.sum(axis=1)
    shares /= sums[:, None]
    return shares, sums


def select_diverse(
    vectors: NDArray[np.float64], value: NDArray[np.float64], limit: int, similarity_cost: float
) -> list[int]:
    """Return the indices of up to ``limit`` rows, best first, by value minus similarity to the ones chosen before.

    Maximal marginal relevance (Carbonell and Goldstein, 1998); ``value`` is scaled to 0..1 first.

    Args:
        vectors: unit-length embeddings, (n, d).
        value: value of each row, (n,).
        similarity_cost: weight of the similarity, 0..1.
    """
    scaled = value / max(float(value.max()), 1e-12)
    chosen: list[int] = []
    max_similarity = np.zeros(len(vectors))
    available = np.ones(len(vectors), np.bool_)
    while available.any() and len(chosen) < limit:
        score = np.where(available, (1 - similarity_cost) * scaled - similarity_cost * max_similarity, -np.inf)
        best = int(score.argmax())
        chosen.append(best)
        available[best] = False
        max_similarity = np.maximum(max_similarity, vectors @ vectors[best])
        # A near repetition is not another point.
        available &= max_similarity < 0.9
    return chosen
