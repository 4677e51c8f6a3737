"""Average linkage: groups that are there are found, and many vectors take bounded work."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.diarization.agglomeration import MAX_AGGLOMERATED, agglomerate, cluster_means, condense, normalise


def around(
    centres: int, each: int, noise: float = 0.02, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around orthogonal centres, shuffled, and whose each is."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(centres), each)
    random.shuffle(truth)
    vectors = np.eye(max(centres, 8))[truth] + random.normal(0, noise, (len(truth), max(centres, 8)))
    return normalise(vectors), truth


def same_groups(labels: NDArray[np.int64], truth: NDArray[np.int64]) -> bool:
    return (
        len({*zip(labels.tolist(), truth.tolist(), strict=True)}) == len({*labels.tolist()}) == len({*truth.tolist()})
    )


def test_groups_are_found_by_their_number_or_by_their_distance() -> None:
    vectors, truth = around(4, 25)
    assert same_groups(agglomerate(vectors, clusters=4), truth)
    assert same_groups(agglomerate(vectors, distance=0.5), truth)
    assert len({*agglomerate(vectors, clusters=1).tolist()}) == 1
    assert len({*agglomerate(vectors, distance=2.0).tolist()}) == 1


@pytest.mark.parametrize("count", [0, 1])
def test_one_vector_or_none_is_one_group_or_none(count: int) -> None:
    assert agglomerate(np.ones((count, 4), np.float32), clusters=3).tolist() == [0] * count


def test_few_vectors_stay_as_they_are() -> None:
    vectors, _ = around(3, 5)
    groups, members = condense(vectors, 100)
    assert np.array_equal(groups, vectors)
    assert members.tolist() == list(range(15))


def test_close_vectors_become_their_mean() -> None:
    vectors, truth = around(5, 30)
    groups, members = condense(vectors, 5)
    assert same_groups(members, truth)
    assert np.linalg.norm(groups, axis=1) == pytest.approx(1, abs=1e-5)
    for group in range(5):
        assert groups[group] == pytest.approx(normalise(vectors[members == group].mean(0, keepdims=True))[0], abs=1e-5)


def test_more_vectors_than_are_compared_at_once_keep_their_groups() -> None:
    vectors, truth = around(6, MAX_AGGLOMERATED // 6 + 10)
    groups, members = condense(vectors, 300)
    assert (len(groups) <= 300, members.shape) == (True, truth.shape)
    # No group holds vectors around two centres.
    assert all(len({*truth[members == group].tolist()}) == 1 for group in range(len(groups)))


def test_a_vector_of_nothing_has_no_direction_and_is_no_error() -> None:
    assert normalise(np.zeros((1, 3))).tolist() == [[0, 0, 0]]
    assert cluster_means(np.eye(2, dtype=np.float32), np.array([0, 0])) == pytest.approx(np.full((1, 2), 0.5**0.5))
