"""Runs of set flags."""

from __future__ import annotations

import numpy as np

from inference.true_runs import true_runs


def test_runs_are_where_flags_are_set() -> None:
    assert true_runs(np.array([True, True, False, True])).tolist() == [[0, 2], [3, 4]]
    assert true_runs(np.zeros(3, bool)).tolist() == []
    assert true_runs(np.zeros(0, bool)).tolist() == []
