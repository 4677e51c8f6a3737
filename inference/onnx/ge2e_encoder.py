"""Resemblyzer's GE2E speaker encoder (Wan et al. 2018): its weights, run by ONNX Runtime.

Three LSTM layers of 256 over 40 mel bands, the last output through a linear layer and a
ReLU, scaled to unit length. The graph is built at load from the weights in the wheel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from inference.models import SAMPLE_RATE_HZ, EncoderProfile, Samples
from inference.onnx.batches_of_length import vectors_of
from inference.onnx.graph_bytes import Tensors, graph_bytes
from inference.onnx.mel import BANDS, FRAME_SAMPLES, MelSpectrum
from inference.onnx.runtime import ON_CPU, Execution, open_session
from inference.onnx.torch_checkpoint import read_tensors

HIDDEN = 256
LAYERS = 3
LONGEST_FRAMES = 160
BATCH = 64
# The mel spectrum is linear, so level matters: -23 dBFS separates real voices best.
LEVEL_DBFS = -23.0
SHORTEST_SAMPLES = int(0.4 * SAMPLE_RATE_HZ)

PROFILE = EncoderProfile(
    dimension=HIDDEN,
    window_s=1.2,
    hop_s=0.6,
    split_similarity=0.58,
    # Measured: one voice split in two has centroids at 0.90 and more, two voices at 0.87 and less.
    merge_similarity=0.88,
    online_similarity=0.74,
    min_cluster_s=1.2,
    max_speakers=8,
    # Measured (docs/metrics.md): the same speaker in two recordings lies above, two speakers below.
    same_voice_similarity=0.85,
)


def _gates(weights: NDArray[Any]) -> NDArray[np.float32]:
    """Rows in ONNX's order (input, output, forget, cell) from PyTorch's (input, forget, cell, output)."""
    i, f, g, o = np.split(np.asarray(weights, np.float32), 4)
    return np.concatenate([i, o, f, g])[None]


def build_graph(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """A serialized ONNX model: ``mels`` (n, frames, 40) -> ``vectors`` (n, 256)."""
    constants: dict[str, NDArray[Any]] = {
        "last": np.array(LAYERS - 1, np.int64),
        "axis": np.array([1], np.int64),
        "tiny": np.array(1e-9, np.float32),
        "linear_w": np.asarray(weights["linear.weight"], np.float32),
        "linear_b": np.asarray(weights["linear.bias"], np.float32),
    }
    nodes = [helper.make_node("Transpose", ["mels"], ["x0"], perm=[1, 0, 2])]
    for layer in range(LAYERS):
        constants[f"w{layer}"] = _gates(weights[f"lstm.weight_ih_l{layer}"])
        constants[f"r{layer}"] = _gates(weights[f"lstm.weight_hh_l{layer}"])
        constants[f"b{layer}"] = np.concatenate(
            [_gates(weights[f"lstm.bias_ih_l{layer}"]), _gates(weights[f"lstm.bias_hh_l{layer}"])], axis=1
        )
        inputs = [f"x{layer}", f"w{layer}", f"r{layer}", f"b{layer}"]
        nodes.append(helper.make_node("LSTM", inputs, [f"y{layer}", f"h{layer}"], hidden_size=HIDDEN))
        nodes.append(helper.make_node("Squeeze", [f"y{layer}", "axis"], [f"x{layer + 1}"]))
    constants["first"] = np.array([0], np.int64)
    nodes += [
        helper.make_node("Squeeze", [f"h{LAYERS - 1}", "first"], ["h"]),
        helper.make_node("Gemm", ["h", "linear_w", "linear_b"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["a"]),
        helper.make_node("ReduceL2", ["a", "axis"], ["norm"], keepdims=1),
        helper.make_node("Max", ["norm", "tiny"], ["length"]),
        helper.make_node("Div", ["a", "length"], ["vectors"]),
    ]
    del constants["last"]
    taken: Tensors = {"mels": (TensorProto.FLOAT, ["n", "frames", BANDS])}
    given: Tensors = {"vectors": (TensorProto.FLOAT, ["n", HIDDEN])}
    return graph_bytes("ge2e", nodes, taken, given, constants)


class Ge2eEncoder:
    """SpeakerEncoder of 256 dimensions; each window is brought to -23 dBFS first."""

    profile = PROFILE

    def __init__(self, checkpoint: Path, execution: Execution = ON_CPU) -> None:
        self._session = open_session(build_graph(read_tensors(checkpoint, "model_state")), execution)
        self._mel = MelSpectrum()

    def __call__(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """See SpeakerEncoder; windows under 0.4 s are padded with silence, only the first 1.6 s are heard."""
        mels = [self._mel(self._levelled(window))[:LONGEST_FRAMES] for window in windows]
        return vectors_of(mels, HIDDEN, BATCH, self._encode)

    def _encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._session.run(None, {"mels": mels})[0]
        return found

    def _levelled(self, window: Samples) -> Samples:
        if len(window) < FRAME_SAMPLES:
            window = np.pad(window, (0, SHORTEST_SAMPLES - len(window)))
        rms = np.sqrt(np.mean(np.square(window)) + 1e-10)
        gain: Samples = (window * (10 ** (LEVEL_DBFS / 20) / rms)).astype(np.float32)
        return gain
