"""How sure a word is: the model's own probability, calibrated on words that are known to be right or wrong.

Source of the method: J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999. Fitted by
``python -m benchmarks.confidence``; the reliability table is in docs/accuracy.md.
"""

from __future__ import annotations

import math

from inference.whisper.guards import odds

SLOPE, INTERCEPT = 0.940, 0.471


def calibrated(probability: float) -> float:
    """The share of words of this probability (0..1, mean over a word's tokens) that are right, 0..1."""
    return 1 / (1 + math.exp(-(SLOPE * odds(probability) + INTERCEPT)))


def uncalibrated(confidence: float) -> float:
    """The model's own probability that was calibrated to this, 0..1."""
    return 1 / (1 + math.exp(-(odds(confidence) - INTERCEPT) / SLOPE))
