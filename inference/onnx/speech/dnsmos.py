"""DNSMOS P.835 (Reddy, Gopal, Cutler, ICASSP 2022): predicted listening quality of noisy speech."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.models import SAMPLE_RATE_HZ, OpinionScores, Samples
from inference.onnx.runtime import ON_CPU, Execution, Tensor, check_graph, open_session

WINDOW_SAMPLES = int(9.01 * SAMPLE_RATE_HZ)
INPUTS = (Tensor("input_1", "float", (1, WINDOW_SAMPLES)),)
OUTPUTS = (Tensor("Identity:0", "float", (1, 3)),)
# The published maps from the network's outputs to opinion scores, highest power first.
_SIGNAL = np.poly1d([-0.08397278, 1.22083953, 0.0052439])
_BACKGROUND = np.poly1d([-0.13166888, 1.60915514, -0.39604546])
_OVERALL = np.poly1d([-0.06766283, 1.11546468, 0.04602535])


class Dnsmos:
    """QualityEstimator on the ``sig_bak_ovr`` graph (windows of 9.01 s)."""

    window_samples = WINDOW_SAMPLES

    def __init__(self, model: Path, execution: Execution = ON_CPU) -> None:
        """Load a graph. Raises ModelCorrupt, or ModelUnfit for another graph."""
        self._session = open_session(model, execution)
        check_graph(self._session, model, INPUTS, OUTPUTS)

    def __call__(self, windows: Sequence[Samples]) -> list[OpinionScores]:
        """Implement QualityEstimator. A shorter window is repeated to full length, as DNSMOS does."""
        return [self._rate(window) for window in windows]

    def _rate(self, samples: Samples) -> OpinionScores:
        if not len(samples):
            raise ValueError("no samples to score")
        window = np.resize(samples, WINDOW_SAMPLES).astype(np.float32)
        signal, background, overall = self._session.run(None, {"input_1": np.clip(window, -1, 1)[None]})[0][0]
        return OpinionScores(
            overall=_bounded(_OVERALL(overall)),
            signal=_bounded(_SIGNAL(signal)),
            background=_bounded(_BACKGROUND(background)),
        )


def _bounded(score: float) -> float:
    return float(min(5.0, max(1.0, score)))
