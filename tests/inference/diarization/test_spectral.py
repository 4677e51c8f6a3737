"""Spectral clustering: as many groups as there are, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from inference.diarization.spectral import k_means, spectral_clusters
from tests.inference.diarization.test_agglomeration import around, same_groups


@pytest.mark.parametrize("centres", [2, 3, 5])
def test_the_number_of_groups_is_found(centres: int) -> None:
    vectors, truth = around(centres, 30, noise=0.1)
    labels = spectral_clusters(vectors, 8)
    assert same_groups(labels, truth)
    assert np.array_equal(labels, spectral_clusters(vectors, 8))


def test_a_number_that_is_known_is_kept_to() -> None:
    vectors, _ = around(4, 20, noise=0.1)
    assert len({*spectral_clusters(vectors, 8, clusters=2).tolist()}) == 2
    assert len({*spectral_clusters(vectors, 2).tolist()}) <= 2


def test_points_apart_are_told_apart_and_equal_ones_are_no_trouble() -> None:
    points = np.repeat([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], 5, axis=0)
    assert same_groups(k_means(points, 3), np.repeat(np.arange(3), 5))
    assert set(k_means(np.zeros((6, 2)), 3).tolist()) <= {0, 1, 2}
