"""The evidence for clusters."""

from __future__ import annotations

import numpy as np

from inference.diarization.mixture import Spread, fit_mixture
from tests.inference.diarization.known_voices import COMMON, OWN, spoken


def test_the_evidence_is_greatest_for_the_clusters_that_are_there() -> None:
    vectors, labels = spoken([20, 20, 20])
    weights = np.ones(len(vectors))
    spread = Spread(within_voice=1 - COMMON - OWN, between_voices=OWN)
    guesses = {"true": labels, "one": 0 * labels, "two united": np.minimum(labels, 1)}
    evidence = {name: fit_mixture(vectors, weights, guess, spread).evidence for name, guess in guesses.items()}
    assert max(evidence, key=lambda name: evidence[name]) == "true"


def test_clusters_without_evidence_vanish() -> None:
    vectors, labels = spoken([30, 30])
    spread = Spread(within_voice=1 - COMMON - OWN, between_voices=OWN)
    # Each voice begins as three clusters.
    split = labels * 3 + np.arange(len(labels)) % 3
    fit = fit_mixture(vectors, np.ones(len(vectors)), split, spread)
    assert np.array_equal(fit.labels[:30], np.full(30, fit.labels[0]))
    assert np.array_equal(fit.labels[30:], np.full(30, fit.labels[30]))
    assert fit.labels[0] != fit.labels[30]
