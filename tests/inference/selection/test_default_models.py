"""The default models' files, and the numbers they give."""

from __future__ import annotations

import numpy as np
import pytest

from inference.catalogue import SILERO_VAD, locate
from inference.diarization.clustering import cluster_speakers
from inference.models import StreamInput
from inference.onnx.speakers.campplus_encoder import PROFILE
from inference.onnx.speech import SileroVad
from tests.recordings import speech

pytestmark = pytest.mark.models


def test_the_detector_hears_blocks_as_it_hears_windows() -> None:
    vad = SileroVad(locate(SILERO_VAD))
    audio = speech(0, 6.4)
    ((whole, _), (again, _)) = vad([StreamInput(audio, vad.initial_state()), StreamInput(audio, vad.initial_state())])
    assert np.array_equal(whole, again)
    state, parts = vad.initial_state(), []
    for start in range(0, len(audio), 512):
        ((probability, state),) = vad([StreamInput(audio[start : start + 512], state)])
        parts.append(probability)
    assert np.allclose(whole, np.concatenate(parts), atol=1e-6)
    assert whole.max() > 0.9


def test_clustering_of_many_windows_is_bounded_and_finds_the_voices() -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=(4, PROFILE.dimension))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = random.integers(0, 4, 9000)
    vectors = centres[labels] + random.normal(0, 0.02, (9000, PROFILE.dimension))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = cluster_speakers(vectors, PROFILE)
    assert len(found) == 4
    assert sorted((found @ centres.T).argmax(1)) == [0, 1, 2, 3]
