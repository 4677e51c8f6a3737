"""Batched calls of a model whose inputs must be of one length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


def encode_in_batches(
    inputs: Sequence[NDArray[np.float32]],
    dimension: int,
    batch_size: int,
    encode: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Encode inputs in batches of one shape, at most ``batch_size`` each, stacked.

    Returns:
        An embedding for each input, shape (n, dimension), in their order.
    """
    vectors = np.zeros((len(inputs), dimension), np.float32)
    by_shape: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, array in enumerate(inputs):
        by_shape[array.shape].append(index)
    for indices in by_shape.values():
        for start in range(0, len(indices), batch_size):
            group = indices[start : start + batch_size]
            vectors[group] = encode(np.stack([inputs[index] for index in group]))
    return vectors
