"""Chunks, context and latency of streaming Sortformers, for every backend: NumPy alone."""

from inference.sortformer.chunks import (
    FEATURES_PER_FRAME,
    FFT,
    GUARD_FEATURES,
    HOP_SAMPLES,
    WINDOW_SAMPLES,
    Chunk,
    SessionAudio,
    check_lengths,
)
from inference.sortformer.latency import (
    FRAME_SAMPLES,
    LATENCIES,
    LOOK_AHEAD_SAMPLES,
    StreamingSettings,
    settings_for,
)

__all__ = [
    "Chunk",
    "FEATURES_PER_FRAME",
    "FFT",
    "FRAME_SAMPLES",
    "GUARD_FEATURES",
    "HOP_SAMPLES",
    "LATENCIES",
    "LOOK_AHEAD_SAMPLES",
    "SessionAudio",
    "StreamingSettings",
    "WINDOW_SAMPLES",
    "check_lengths",
    "settings_for",
]
