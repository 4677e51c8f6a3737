"""Decay rates of sound: reverberation slows every decay down.

Source of the idea: Wen, Habets, Naylor, "Blind estimation of reverberation time based on the distribution of signal
decay rates", ICASSP 2008. The rates themselves are reported; readers decide where reverberation begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.acoustics.frames import FRAME_S
from inference.true_runs import true_runs

# Minimum fall of a decay, and its minimum number of frames.
MIN_FALL_DB = 12.0
MIN_FRAMES = 3
# Further below the peak, background noise bends the slope.
HEADROOM_DB = 30.0


def decay_rates(level_dbfs: NDArray[np.float32], noise_dbfs: float) -> NDArray[np.float32]:
    """Return the rate of each decay in a span of frames, dB/s, positive; shape (decays,).

    A decay is a run of falling frames of at least 12 dB and three frames, as far as it stays 6 dB above the noise and
    within 30 dB of its start; its rate is the slope of the least-squares line.

    Args:
        level_dbfs: shape (frames,).
        noise_dbfs: level of the noise.
    """
    if len(level_dbfs) < MIN_FRAMES + 1:
        return np.zeros(0, np.float32)
    rates = []
    for start, end in true_runs(np.diff(level_dbfs) < 0):
        run = level_dbfs[start : end + 1].astype(np.float64)
        run = run[(run >= noise_dbfs + 6) & (run >= run[0] - HEADROOM_DB)]
        if len(run) >= MIN_FRAMES + 1 and run[0] - run[-1] >= MIN_FALL_DB:
            rates.append(-np.polyfit(np.arange(len(run)) * FRAME_S, run, 1)[0])
    return np.asarray(rates, np.float32)
