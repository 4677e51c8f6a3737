"""Streaming settings: each has the latency of its name, and steps that divide its chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.models import ModelUnfit
from inference.sortformer.latency import FRAME_SAMPLES, LATENCIES, LOOK_AHEAD_SAMPLES, StreamingSettings, settings_for


@pytest.mark.parametrize("speakers", [4, 8])
@pytest.mark.parametrize("latency", LATENCIES)
def test_chunk_and_right_context_are_the_latency(latency: str, speakers: int) -> None:
    settings = settings_for(latency, speakers)
    frames = settings.chunk + settings.right_context
    assert frames * FRAME_SAMPLES / 16_000 == pytest.approx(float(latency.removesuffix("s")), abs=1e-9)
    assert settings.chunk % settings.step == 0
    assert settings.update_period <= settings.fifo + settings.chunk


def test_a_latency_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelUnfit, match=r"latency: '2s' is unknown; one of 0\.32s, 0\.64s, 1\.04s, 10s, 30\.4s"):
        settings_for("2s", 4)


@given(st.integers(1, 400), st.integers(0, 60))
def test_a_step_divides_its_chunk_and_adds_little_to_the_latency(chunk: int, right_context: int) -> None:
    settings = StreamingSettings(chunk, right_context, fifo=188, update_period=144, speaker_cache=188)
    assert chunk % settings.step == 0
    waited = settings.wait(settings.step)
    assert waited % settings.step == 0
    assert waited * FRAME_SAMPLES >= right_context * FRAME_SAMPLES + LOOK_AHEAD_SAMPLES
    assert settings.step == 1 or waited <= right_context + 1 + 0.05 * (chunk + right_context)
