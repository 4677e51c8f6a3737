"""The short form of benchmarks.chaos: a meeting while connections are cut and servers are killed."""

from __future__ import annotations

from benchmarks.chaos import Disturbances, measure
from benchmarks.recordings import RATE_HZ
from tests.recordings import sample_pcm


async def test_a_meeting_survives_everything_without_a_sample_lost_or_an_event_told_twice() -> None:
    pcm = sample_pcm()[: 30 * RATE_HZ]
    figures = await measure(pcm, speed=2, disturbances=Disturbances(drops=4, inference_kills=1, api_kills=1))
    assert figures["status"] == "ready"
    assert figures["reconnects"] >= 2
    counted = {name: figures[name] for name in ("lost_samples", "duplicate_events", "different")}
    assert counted == {"lost_samples": 0, "duplicate_events": 0, "different": []}
