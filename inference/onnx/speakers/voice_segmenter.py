"""Voice segmentation with overlap, on 10 s windows: pyannote's network by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, ModelCorrupt, Samples
from inference.onnx.runtime import ON_CPU, Execution, open_session, read_tensors
from inference.onnx.speakers.segmentation_graph import FIRST_FRAME_SAMPLES, FRAME_SAMPLES, build_graph, frame_count

# Length of the network's training windows.
WINDOW_SAMPLES = 10 * SAMPLE_RATE_HZ
# A window takes 15 MB during a call.
BATCH = 4


class PyannoteSegmenter:
    """VoiceSegmenter on windows of 10 s, of any level: the network normalises its input."""

    window_samples = WINDOW_SAMPLES
    frame_samples = FRAME_SAMPLES
    first_frame_samples = FIRST_FRAME_SAMPLES
    frames = frame_count(WINDOW_SAMPLES)

    def __init__(self, checkpoint: Path, execution: Execution = ON_CPU) -> None:
        """Load a checkpoint. Raises ModelCorrupt when it is not of this network."""
        weights = read_tensors(checkpoint, "state_dict")
        try:
            graph = build_graph(weights)
        except (KeyError, ValueError) as error:
            raise ModelCorrupt(f"{checkpoint.name} is not of pyannote's segmentation network: {error}") from error
        self._session = open_session(graph, execution)

    def __call__(self, windows: Sequence[Samples]) -> list[NDArray[np.float32]]:
        """Implement VoiceSegmenter. A shorter window is padded with silence.

        Raises:
            ValueError: a window is empty, or longer than ``window_samples``.
        """
        padded = [_padded(window) for window in windows]
        found: list[NDArray[np.float32]] = []
        for start in range(0, len(padded), BATCH):
            found.extend(self._session.run(None, {"audio": np.stack(padded[start : start + BATCH])})[0])
        return found


def _padded(window: Samples) -> Samples:
    if not 0 < len(window) <= WINDOW_SAMPLES:
        raise ValueError(f"a window of {len(window)} samples; expected 1 to {WINDOW_SAMPLES}")
    return np.pad(np.asarray(window, np.float32), (0, WINDOW_SAMPLES - len(window)))
