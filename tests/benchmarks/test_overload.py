"""How the figures of an overload are made of what was measured."""

from __future__ import annotations

from math import isnan

import pytest

from benchmarks.overload import spread, tenths


def test_a_spread_is_median_p95_and_largest() -> None:
    assert spread([float(n) for n in range(101)]) == {"p50": 50, "p95": 95, "most": 100}
    assert all(isnan(value) for value in spread([]).values())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7], (7, 7, 7)),
        ([1, 2, 9], (1, 2, 9)),
        (list(range(100)), (4.5, 49.5, 94.5)),
        ([5] * 10 + [90] + [6] * 9, (5, 47.5, 6)),
    ],
    ids=["one", "three", "many", "a peak in the middle"],
)
def test_memory_is_told_at_the_start_in_the_middle_and_at_the_end(
    values: list[int], expected: tuple[float, float, float]
) -> None:
    assert tenths(values) == expected
