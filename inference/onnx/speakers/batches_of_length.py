"""Batched calls of a model whose inputs must be of one length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


def vectors_of(
    inputs: Sequence[NDArray[np.float32]],
    dimension: int,
    most: int,
    encode: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Encode inputs in batches of one shape, at most ``most`` each, stacked.

    Returns:
        An embedding for each input, shape (n, dimension), in their order.
    """
    vectors = np.zeros((len(inputs), dimension), np.float32)
    by_shape: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, one in enumerate(inputs):
        by_shape[one.shape].append(index)
    for indices in by_shape.values():
        for start in range(0, len(indices), most):
            group = indices[start : start + most]
            vectors[group] = encode(np.stack([inputs[index] for index in group]))
    return vectors
