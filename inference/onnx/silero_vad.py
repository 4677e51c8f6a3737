"""Silero VAD v6 as a block graph: many windows in one call, the same numbers as one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import Samples, Stretch
from inference.onnx.runtime import open_session

# The graph wants each 512-sample window with the 64 samples before it.
CONTEXT_SAMPLES = 64


@dataclass(frozen=True, slots=True)
class SileroState:
    """Memory of one session: LSTM state of shape (1, 1, 128) each, and the last 64 samples."""

    h: NDArray[np.float32]
    c: NDArray[np.float32]
    context: NDArray[np.float32]


class SileroVad:
    """VoiceActivityDetector on the ``silero_vad_16k_sequence`` graph (32 ms windows)."""

    window_samples = 512

    def __init__(self, model: Path, threads: int = 1) -> None:
        self._session = open_session(model, threads)

    def initial_state(self) -> SileroState:
        """Silence before the first sample."""
        zeros = np.zeros((1, 1, 128), np.float32)
        return SileroState(zeros, zeros, np.zeros(CONTEXT_SAMPLES, np.float32))

    def __call__(self, work: Sequence[Stretch]) -> list[tuple[NDArray[np.float32], SileroState]]:
        """See VoiceActivityDetector. Raises ValueError when samples are not whole windows."""
        # The graph runs along the time of one session: sessions one after another cost the same as in one.
        return [self._listen(stretch.samples, stretch.state) for stretch in work]

    def _listen(self, samples: Samples, state: SileroState) -> tuple[NDArray[np.float32], SileroState]:
        if len(samples) % self.window_samples:
            raise ValueError(f"{len(samples)} samples are not whole windows of {self.window_samples}")
        if not len(samples):
            return np.zeros(0, np.float32), state
        heard = np.concatenate([state.context, samples])
        windows = np.lib.stride_tricks.sliding_window_view(heard, CONTEXT_SAMPLES + self.window_samples)
        block = np.ascontiguousarray(windows[:: self.window_samples])
        inputs = {"input": block, "h": state.h, "c": state.c}
        probabilities, h, c = self._session.run(None, inputs)
        return probabilities.reshape(-1), SileroState(h, c, heard[-CONTEXT_SAMPLES:].copy())
