"""Word confidence: the model's probability, calibrated on words known to be right or wrong.

Source of the method: J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999. Fitted by ``python -m
benchmarks.confidence``; the reliability table is in docs/accuracy.md.
"""

from __future__ import annotations

import math

from inference.whisper.guards import log_odds

SLOPE, INTERCEPT = 0.940, 0.471


def calibrated(probability: float) -> float:
    """Return the expected share of correct words, 0..1, for a model probability (0..1, mean over a word's tokens)."""
    return 1 / (1 + math.exp(-(SLOPE * log_odds(probability) + INTERCEPT)))


def uncalibrated(confidence: float) -> float:
    """Return the model probability, 0..1, that ``calibrated`` maps to this confidence."""
    return 1 / (1 + math.exp(-(log_odds(confidence) - INTERCEPT) / SLOPE))
