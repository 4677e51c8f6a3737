"""The order of what is found: by words that are rare, and by closeness of meaning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from server.storage import TermQueries, WordHit

# Cosine similarity below which sentences are close by chance: ``python -m benchmarks.search``.
MIN_SIMILARITY = 0.3
# Share of the query's words, by weight, below which a sentence that only has words is not worth showing.
MIN_SHARE = 0.25
# Words from which a sentence says something by itself; "Solar cells?" tells a reader little.
FULL_WORDS = 6


def word_shares(queries: TermQueries, hits: Sequence[WordHit], sentences: int) -> dict[tuple[str, int], float]:
    """Return how much of the query's words sentences have, 0..1, by (configuration, terms).

    A word counts by its inverse document frequency, as in BM25 (Robertson and Zaragoza, 2009): one that every other
    sentence has says little.

    Args:
        sentences: how many are indexed.
    """
    patterns = {(hit.configuration, hit.hits): hit.alike for hit in hits}
    terms = len(queries.queries[0]) if queries.queries else 0
    counts = [sum(alike for (_, bits), alike in patterns.items() if bits >> term & 1) for term in range(terms)]
    weights = [math.log(1 + (max(sentences, n) - n + 0.5) / (n + 0.5)) for n in counts]
    totals = {
        name: sum(weight for query, weight in zip(own, weights, strict=True) if query)
        for name, own in zip(queries.configurations, queries.queries, strict=True)
    }
    return {
        (name, bits): sum(weight for term, weight in enumerate(weights) if bits >> term & 1) / totals[name]
        for name, bits in patterns
    }


def relevance(share: float, similarity: float | None, words: int) -> float:
    """Return how well a sentence answers a query, 0..1, to order by: half by words, half by meaning.

    One of fewer than 6 words counts less, down to half.

    Args:
        share: of the query's words, 0..1.
        similarity: of meanings; None if they cannot be compared.
        words: of the sentence.
    """
    found = 0.5 * share + 0.5 * max(0.0, similarity or 0.0)
    return found * (0.5 + 0.5 * min(1.0, words / FULL_WORDS))


def is_worth_showing(share: float, similarity: float | None) -> bool:
    """Return whether a sentence has enough of the query."""
    return share >= MIN_SHARE or (similarity is not None and similarity >= MIN_SIMILARITY)


def distinct(values: Iterable[str]) -> list[str]:
    """Return values without repetitions, in order."""
    return list(dict.fromkeys(values))
