"""Where consecutive flags are set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def true_runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the first place of each run of set flags, shape (n,), and the place after its last: shape (runs, 2)."""
    padded = np.concatenate([[False], flags, [False]])
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
