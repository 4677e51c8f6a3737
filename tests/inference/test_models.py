"""The default models' files, and the numbers they give."""

from __future__ import annotations

import numpy as np

from inference.diarization.clustering import cluster_speakers
from inference.models import Stretch
from inference.models.catalogue import GE2E, SILERO_VAD, locate
from inference.onnx import Ge2eEncoder, SileroVad
from inference.onnx.ge2e_encoder import PROFILE
from inference.onnx.mel import MelSpectrum
from inference.onnx.torch_checkpoint import read_tensors
from tests.recordings import speech


def test_the_detector_hears_blocks_as_it_hears_windows() -> None:
    vad = SileroVad(locate(SILERO_VAD))
    audio = speech(0, 6.4)
    ((whole, _), (again, _)) = vad([Stretch(audio, vad.initial_state()), Stretch(audio, vad.initial_state())])
    assert np.array_equal(whole, again)
    state, parts = vad.initial_state(), []
    for start in range(0, len(audio), 512):
        ((probability, state),) = vad([Stretch(audio[start : start + 512], state)])
        parts.append(probability)
    assert np.allclose(whole, np.concatenate(parts), atol=1e-6)
    assert whole.max() > 0.9


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def test_the_encoders_graph_is_the_lstm_of_its_weights() -> None:
    weights = read_tensors(locate(GE2E), "model_state")
    window = speech(1, 1.2)
    level = 10 ** (-23 / 20) / np.sqrt(np.mean(window**2) + 1e-10)
    x = MelSpectrum()((window * level).astype(np.float32))
    for layer in range(3):
        gates = x @ weights[f"lstm.weight_ih_l{layer}"].T
        gates = gates + weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"]
        h = c = np.zeros(256, np.float32)
        out = []
        for row in gates:
            i, f, g, o = np.split(row + h @ weights[f"lstm.weight_hh_l{layer}"].T, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            out.append(h)
        x = np.stack(out)
    vector = np.maximum(0, weights["linear.weight"] @ x[-1] + weights["linear.bias"])
    expected = vector / np.linalg.norm(vector)
    assert np.abs(Ge2eEncoder(locate(GE2E))([window])[0] - expected).max() < 1e-5


def test_windows_of_any_length_and_level_have_unit_vectors() -> None:
    encoder = Ge2eEncoder(locate(GE2E))
    vectors = encoder([speech(1, 1.2), speech(1, 0.4), np.zeros(10, np.float32), speech(1, 1.2) * np.float32(0.01)])
    assert vectors.shape == (4, 256)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert vectors[0] @ vectors[3] > 0.99


def test_clustering_of_many_windows_is_bounded_and_finds_the_voices() -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=(4, 256))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = random.integers(0, 4, 9000)
    vectors = centres[labels] + random.normal(0, 0.02, (9000, 256))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = cluster_speakers(vectors, PROFILE)
    assert len(found) == 4
    assert sorted((found @ centres.T).argmax(1)) == [0, 1, 2, 3]
