"""Vectors of windows whose voices are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.onnx.speakers.campplus_encoder import PROFILE as CAMPPLUS_PROFILE

Vectors = NDArray[np.float32]
PROFILE = replace(CAMPPLUS_PROFILE, dimension=64)
# As alike as the vectors of CAM++: windows of one voice at 0.55, of two at 0.16.
COMMON, OWN = 0.16, 0.39


def unit(vectors: NDArray[np.floating]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def spoken(counts: list[int], seed: int = 0) -> tuple[Vectors, NDArray[np.int64]]:
    """So many windows of each voice, in turn, and whose each is."""
    random = np.random.default_rng(seed)
    directions = np.linalg.qr(random.standard_normal((PROFILE.dimension, len(counts) + 1)))[0].T
    labels = np.repeat(np.arange(len(counts)), counts)
    spread = unit(random.standard_normal((len(labels), PROFILE.dimension)))
    voices = np.sqrt(COMMON) * directions[0] + np.sqrt(OWN) * directions[labels + 1]
    return unit(voices + np.sqrt(1 - COMMON - OWN) * spread), labels
