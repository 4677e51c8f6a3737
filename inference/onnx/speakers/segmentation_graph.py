"""pyannote's segmentation network as an ONNX graph, built from the weights of its checkpoint.

Source: Bredin, "pyannote.audio 2.1 speaker diarization pipeline", Interspeech 2023, with the classes of Plaquet and
Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization", Interspeech 2023; the first layer is
SincNet's (Ravanelli and Bengio 2018) in the form of Pariente et al., "Filterbank design for end-to-end speech
separation", ICASSP 2020: a cosine and a sine for each band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from inference.onnx.runtime import GraphBuilder, Tensors, Weights, graph_bytes

SAMPLE_RATE_HZ = 16_000
# Nobody, three single voices, three pairs.
CLASSES = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
MIN_LOW_HZ, MIN_BAND_HZ = 50.0, 50.0
STRIDE, POOLED = 10, 3
LAYERS, WIDTH = 4, 128
_LEAK, _EPSILON = 0.01, 1e-5
# Samples between frames, and from the first sample of a window to the middle of its first frame.
FRAME_SAMPLES = STRIDE * POOLED**3
FIRST_FRAME_SAMPLES = (251 + STRIDE * (POOLED - 1 + POOLED * (4 + POOLED - 1 + POOLED * (4 + POOLED - 1))) - 1) // 2


def frame_count(samples: int) -> int:
    """Return the number of output frames for so many samples."""
    count = (samples - 251) // STRIDE + 1
    for kernel in (1, 5, 5):
        count = (count - kernel + 1) // POOLED
    return count


def sinc_filters(weights: Weights) -> NDArray[np.float32]:
    """Return the band-pass filters, shape (80, 1, 251): all cosines before all sines."""
    low_hz, band_hz, window, times = (
        np.asarray(weights[f"sincnet.conv1d.0.filterbank.{name}"], np.float64)
        for name in ("low_hz_", "band_hz_", "window_", "n_")
    )
    low = MIN_LOW_HZ + np.abs(low_hz)
    high = np.clip(low + MIN_BAND_HZ + np.abs(band_hz), MIN_LOW_HZ, SAMPLE_RATE_HZ / 2)
    band = high - low
    cosines = (np.sin(high @ times) - np.sin(low @ times)) / (times / 2) * window
    sines = (np.cos(low @ times) - np.cos(high @ times)) / (times / 2) * window
    even = np.concatenate([cosines, 2 * band, cosines[:, ::-1]], axis=1)
    odd = np.concatenate([sines, np.zeros_like(band), -sines[:, ::-1]], axis=1)
    return np.asarray(np.concatenate([even, odd]) / (2 * np.tile(band, (2, 1))), np.float32)[:, None]


class _Graph(GraphBuilder):
    """The layers of the network."""

    def normalised(self, x: str, name: str) -> str:
        """Normalise each channel to mean 0 and deviation 1 over time."""
        parts = [self.weight(f"{name}.{part}") for part in ("weight", "bias")]
        return self.add("InstanceNormalization", x, *parts, epsilon=_EPSILON)

    def pooled(self, x: str, name: str) -> str:
        x = self.add("MaxPool", x, kernel_shape=[POOLED], strides=[POOLED])
        return self.add("LeakyRelu", self.normalised(x, name), alpha=_LEAK)

    def lstm(self, x: str, layer: int) -> str:
        """Add a bidirectional LSTM layer: (time, n, width) -> (time, n, 2 * WIDTH)."""
        both = ("", "_reverse")
        inputs, hidden = (
            np.stack([_gates(self.weights[f"lstm.weight_{kind}_l{layer}{direction}"]) for direction in both])
            for kind in ("ih", "hh")
        )
        biases = np.stack(
            [
                np.concatenate([_gates(self.weights[f"lstm.bias_{kind}_l{layer}{direction}"]) for kind in ("ih", "hh")])
                for direction in both
            ]
        )
        x = self.add(
            "LSTM",
            x,
            self.constant(f"lstm{layer}.w", inputs),
            self.constant(f"lstm{layer}.r", hidden),
            self.constant(f"lstm{layer}.b", biases),
            direction="bidirectional",
            hidden_size=WIDTH,
        )
        # (time, directions, n, width)
        x = self.add("Transpose", x, perm=[0, 2, 1, 3])
        return self.add("Reshape", x, "joined_directions")

    def linear(self, x: str, name: str) -> str:
        weight = self.constant(f"{name}.turned", np.asarray(self.weights[f"{name}.weight"], np.float32).T.copy())
        return self.add("Add", self.add("MatMul", x, weight), self.weight(f"{name}.bias"))


def _gates(value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reorder PyTorch's gates (input, forget, cell, output) to ONNX's order (input, output, forget, cell)."""
    first, forget, cell, output = np.split(np.asarray(value, np.float32), 4)
    return np.concatenate([first, output, forget, cell])


def build_graph(weights: Weights) -> bytes:
    """Build a serialized ONNX model: ``audio`` (n, samples) -> ``classes`` (n, frames, 7), probabilities of CLASSES.

    Raises:
        KeyError: the checkpoint is not of this network.
    """
    graph = _Graph(weights)
    graph.constant("joined_directions", np.array([0, 0, 2 * WIDTH], np.int64))
    x = graph.add("Unsqueeze", "audio", graph.constant("channel", np.array([1], np.int64)))
    x = graph.normalised(x, "sincnet.wav_norm1d")
    x = graph.add("Conv", x, graph.constant("filters", sinc_filters(weights)), strides=[STRIDE])
    x = graph.pooled(graph.add("Abs", x), "sincnet.norm1d.0")
    for layer in (1, 2):
        x = graph.pooled(graph.convolved(x, f"sincnet.conv1d.{layer}"), f"sincnet.norm1d.{layer}")
    x = graph.add("Transpose", x, perm=[2, 0, 1])
    for layer in range(LAYERS):
        x = graph.lstm(x, layer)
    for layer in (0, 1):
        x = graph.add("LeakyRelu", graph.linear(x, f"linear.{layer}"), alpha=_LEAK)
    x = graph.add("Softmax", graph.linear(x, "classifier"), axis=-1)
    graph.add("Transpose", x, perm=[1, 0, 2], output="classes")
    inputs: Tensors = {"audio": (TensorProto.FLOAT, ["n", "samples"])}
    outputs: Tensors = {"classes": (TensorProto.FLOAT, ["n", "frames", len(CLASSES)])}
    return graph_bytes("segmentation", graph.nodes, inputs, outputs, graph.constants)
