"""Inputs of several lengths in batches of one: each gets its own vector, in bounded batches."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.onnx.speakers.equal_length_batches import encode_in_batches


@given(st.lists(st.integers(1, 4), max_size=20), st.integers(1, 5))
def test_each_input_has_its_own_vector_in_its_place(lengths: list[int], most: int) -> None:
    inputs = [np.full((length, 3), number, np.float32) for number, length in enumerate(lengths)]
    batches: list[tuple[int, ...]] = []

    def encode(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        batches.append(batch.shape)
        return np.stack([[one.mean(), len(one)] for one in batch]).astype(np.float32)

    vectors = encode_in_batches(inputs, 2, most, encode)
    assert vectors.tolist() == [[number, length] for number, length in enumerate(lengths)]
    assert sum(shape[0] for shape in batches) == len(lengths)
    assert all(shape[0] <= most for shape in batches)
    # No more calls than the lengths need.
    assert len(batches) == sum(-(-lengths.count(length) // most) for length in set(lengths))


def test_of_nothing_nobody_is_asked() -> None:
    assert encode_in_batches([], 5, 4, lambda _: np.zeros((0, 5), np.float32)).shape == (0, 5)
