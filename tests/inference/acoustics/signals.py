"""Signals whose sound is known."""

from __future__ import annotations

import numpy as np

from inference.models import SAMPLE_RATE_HZ, Samples

TIME = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


def tone(hertz: float, amplitude: float = 0.5) -> Samples:
    """A harmonic tone of two seconds."""
    partials = np.stack([np.sin(2 * np.pi * k * hertz * TIME) / k for k in range(1, 6)])
    return np.asarray(amplitude * partials.sum(axis=0) / 1.5, np.float32)
