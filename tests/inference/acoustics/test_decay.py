"""Decay: how fast a sound dies away."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.acoustics.decay import decay_rates
from inference.acoustics.frames import FRAME_S


@pytest.mark.parametrize("rate", [60.0, 120.0, 300.0])
def test_a_decay_is_as_fast_as_it_is(rate: float) -> None:
    frames = np.arange(30) * FRAME_S
    level: NDArray[np.float32] = np.concatenate([np.full(5, -10.0), -10 - rate * frames, np.full(5, -90.0)])
    found = decay_rates(np.maximum(level, -90).astype(np.float32), -95)
    assert found[0] == pytest.approx(rate, rel=0.15)
