"""Centrality of sentences against the definition, and against itself when only some vote."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from server.insights.text import vectors
from server.insights.text.vectors import DAMPING, MIN_SIMILARITY, centrality


def talk(sentences: int) -> NDArray[np.float64]:
    """Vectors around themes, of which some are talked about more than others."""
    chance = np.random.default_rng(3)
    themes = chance.standard_normal((12, 64))
    of = chance.choice(12, size=sentences, p=np.arange(1, 13) / 78)
    found = themes[of] + chance.standard_normal((sentences, 64)) * chance.uniform(0.3, 2.0, size=(sentences, 1))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def by_definition(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The stationary distribution of the walk, by its eigenvector."""
    similarity = rows @ rows.T
    similarity[similarity < MIN_SIMILARITY] = 0
    np.fill_diagonal(similarity, 0)
    n = len(rows)
    walk = (1 - DAMPING) / n + DAMPING * similarity / similarity.sum(axis=1, keepdims=True)
    values, axes = np.linalg.eig(walk.T)
    stationary = np.abs(np.real(axes[:, np.argmax(np.real(values))]))
    return np.asarray(stationary / stationary.sum())


def test_it_is_where_a_walk_among_like_sentences_stays() -> None:
    rows = talk(300)
    assert np.allclose(centrality(rows), by_definition(rows), atol=1e-6)


def test_a_sentence_like_no_other_is_no_more_than_the_rest() -> None:
    rows = np.concatenate([np.zeros((40, 64)), np.eye(64)[:1]])
    rows[:40, 1:4] = np.random.default_rng(0).uniform(0.4, 1, (40, 3))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert centrality(rows).argmin() == 40


def test_an_even_choice_of_voters_finds_what_all_find(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = talk(1500)
    everybody = centrality(rows)
    monkeypatch.setattr(vectors, "MAX_VOTERS", 500)
    some = centrality(rows)
    assert some.sum() == pytest.approx(1)
    assert spearmanr(everybody, some).statistic > 0.97
