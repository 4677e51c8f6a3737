"""Streaming settings: each has the latency of its name."""

from __future__ import annotations

import pytest

from inference.models import ModelUnfit
from inference.sortformer.latency import FRAME_SAMPLES, LATENCIES, LOOK_AHEAD_SAMPLES, settings_for


@pytest.mark.parametrize("speakers", [4, 8])
@pytest.mark.parametrize("latency", LATENCIES)
def test_chunk_and_right_context_are_the_latency(latency: str, speakers: int) -> None:
    settings = settings_for(latency, speakers)
    frames = settings.chunk + settings.right_context
    assert frames * FRAME_SAMPLES / 16_000 == pytest.approx(float(latency.removesuffix("s")), abs=1e-9)
    # The last spectrum reaches 2.5 ms beyond them.
    assert settings.latency_samples == frames * FRAME_SAMPLES + LOOK_AHEAD_SAMPLES
    assert settings.update_period <= settings.fifo + settings.chunk


def test_a_latency_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelUnfit, match=r"latency: '2s' is unknown; one of 0\.32s, 0\.64s, 1\.04s, 10s, 30\.4s"):
        settings_for("2s", 4)
