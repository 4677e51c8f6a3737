"""The graph of pyannote's segmentation, against plain arithmetic on the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from inference.models import ModelCorrupt
from inference.onnx.speakers.segmentation_graph import CLASSES, WIDTH, build_graph, frame_count, sinc_filters
from inference.onnx.speakers.voice_segmenter import PyannoteSegmenter
from tests.inference.onnx.runtime.test_torch_checkpoint import archive, pickled, tensor

Array = NDArray[np.float32]


Exact = NDArray[np.float64]


TAPS, BANDS, CHANNELS = 251, 40, 6


random = np.random.default_rng(11)


def small_weights() -> dict[str, Array]:
    """A network of the same depth, with few channels between the first layer and the recurrent ones."""
    weights: dict[str, Array] = {}

    def put(name: str, *shape: int, scale: float = 1.0) -> None:
        spread = scale / np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 10)
        weights[name] = random.normal(0, spread, shape).astype(np.float32)

    def norm(name: str, channels: int) -> None:
        weights[f"{name}.weight"] = random.uniform(0.5, 1.5, channels).astype(np.float32)
        weights[f"{name}.bias"] = random.normal(0, 0.3, channels).astype(np.float32)

    half = TAPS // 2
    filterbank = "sincnet.conv1d.0.filterbank"
    weights[f"{filterbank}.low_hz_"] = random.uniform(-2000, 6000, (BANDS, 1)).astype(np.float32)
    weights[f"{filterbank}.band_hz_"] = random.uniform(-300, 3000, (BANDS, 1)).astype(np.float32)
    weights[f"{filterbank}.window_"] = np.hamming(TAPS)[:half].astype(np.float32)
    weights[f"{filterbank}.n_"] = (2 * np.pi * np.arange(-half, 0)[None] / 16_000).astype(np.float32)
    norm("sincnet.wav_norm1d", 1)
    norm("sincnet.norm1d.0", 2 * BANDS)
    for layer, taken in ((1, 2 * BANDS), (2, CHANNELS)):
        put(f"sincnet.conv1d.{layer}.weight", CHANNELS, taken, 5)
        put(f"sincnet.conv1d.{layer}.bias", CHANNELS)
        norm(f"sincnet.norm1d.{layer}", CHANNELS)
    for layer in range(4):
        for way in ("", "_reverse"):
            put(f"lstm.weight_ih_l{layer}{way}", 4 * WIDTH, 2 * WIDTH if layer else CHANNELS)
            put(f"lstm.weight_hh_l{layer}{way}", 4 * WIDTH, WIDTH)
            for kind in ("ih", "hh"):
                put(f"lstm.bias_{kind}_l{layer}{way}", 4 * WIDTH)
    for name, given, taken in (("linear.0", 9, 2 * WIDTH), ("linear.1", 9, 9), ("classifier", len(CLASSES), 9)):
        put(f"{name}.weight", given, taken, scale=3)
        put(f"{name}.bias", given)
    return weights


def leaky(x: Exact) -> Exact:
    return np.where(x > 0, x, 0.01 * x)


def sigmoid(x: Exact) -> Exact:
    return np.asarray(1 / (1 + np.exp(-x)))


class Arithmetic:
    """The network of the papers for one window, step by step in float64."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self._weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}

    def filters(self) -> Exact:
        """Each band's cosine, then each band's sine, tap by tap."""
        low_hz, band_hz, window, times = (
            self._weights[f"sincnet.conv1d.0.filterbank.{name}"] for name in ("low_hz_", "band_hz_", "window_", "n_")
        )
        found = np.zeros((2 * BANDS, TAPS))
        half = TAPS // 2
        for band in range(BANDS):
            low = 50 + abs(low_hz[band, 0])
            high = min(max(low + 50 + abs(band_hz[band, 0]), 50), 8000)
            for tap in range(half):
                time, weight = times[0, tap], window[tap] / (2 * (high - low))
                even = 2 * (np.sin(high * time) - np.sin(low * time)) / time * weight
                odd = 2 * (np.cos(low * time) - np.cos(high * time)) / time * weight
                found[band, tap] = found[band, TAPS - 1 - tap] = even
                found[BANDS + band, tap], found[BANDS + band, TAPS - 1 - tap] = odd, -odd
            found[band, half] = 1.0
        return found

    def norm(self, x: Exact, name: str) -> Exact:
        y = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return np.asarray(y * self._weights[f"{name}.weight"][:, None] + self._weights[f"{name}.bias"][:, None])

    def pooled(self, x: Exact, name: str) -> Exact:
        frames = x.shape[1] // 3
        return leaky(self.norm(x[:, : 3 * frames].reshape(len(x), frames, 3).max(2), name))

    def convolved(self, x: Exact, name: str) -> Exact:
        kernel = self._weights[f"{name}.weight"]
        frames = x.shape[1] - 4
        y = sum(kernel[:, :, tap] @ x[:, tap : tap + frames] for tap in range(5))
        return np.asarray(y + self._weights[f"{name}.bias"][:, None])

    def one_way(self, x: Exact, name: str) -> Exact:
        w = self._weights
        h = c = np.zeros(WIDTH)
        told = []
        for row in x:
            gates = w[f"lstm.weight_ih_{name}"] @ row + w[f"lstm.bias_ih_{name}"]
            gates += w[f"lstm.weight_hh_{name}"] @ h + w[f"lstm.bias_hh_{name}"]
            i, f, g, o = np.split(gates, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            told.append(h)
        return np.stack(told)

    def __call__(self, audio: Array) -> Exact:
        w = self._weights
        x = self.norm(audio.astype(np.float64)[None], "sincnet.wav_norm1d")
        pieces = np.lib.stride_tricks.sliding_window_view(x[0], TAPS)[::10]
        x = self.pooled(np.abs(self.filters() @ pieces.T), "sincnet.norm1d.0")
        for layer in (1, 2):
            x = self.pooled(self.convolved(x, f"sincnet.conv1d.{layer}"), f"sincnet.norm1d.{layer}")
        x = x.T
        for layer in range(4):
            back = self.one_way(x[::-1], f"l{layer}_reverse")[::-1]
            x = np.concatenate([self.one_way(x, f"l{layer}"), back], axis=1)
        for name in ("linear.0", "linear.1"):
            x = leaky(x @ w[f"{name}.weight"].T + w[f"{name}.bias"])
        x = np.exp(x @ w["classifier.weight"].T + w["classifier.bias"])
        return np.asarray(x / x.sum(1, keepdims=True))


def test_the_graph_is_the_network_of_its_weights() -> None:
    weights = small_weights()
    arithmetic = Arithmetic(weights)
    np.testing.assert_allclose(sinc_filters(weights)[:, 0], arithmetic.filters(), atol=1e-5)
    session = ort.InferenceSession(build_graph(weights), providers=["CPUExecutionProvider"])
    audio = random.normal(0, 0.1, (2, 16_000)).astype(np.float32)
    (found,) = session.run(None, {"audio": audio})
    expected = np.stack([arithmetic(one) for one in audio])
    assert found.shape == expected.shape == (2, frame_count(16_000), 7)
    assert expected.std(axis=1).max() > 0.01, "weights under which nothing depends on the audio test nothing"
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_checkpoint_of_another_network_is_named(tmp_path: Path) -> None:
    other = archive(tmp_path / "other.bin", pickled({"state_dict": {"w": tensor("0", 2)}}), s0=bytes(8))
    with pytest.raises(ModelCorrupt, match=r"other\.bin is not of pyannote's segmentation network: '?sincnet"):
        PyannoteSegmenter(other)
    bare = archive(tmp_path / "bare.bin", pickled({"w": tensor("0", 2)}), s0=bytes(8))
    with pytest.raises(ModelCorrupt, match=r"bare\.bin cannot be read as a checkpoint"):
        PyannoteSegmenter(bare)
