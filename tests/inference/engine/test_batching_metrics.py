"""What a queue before a model tells Prometheus: how long work waited, how large calls are, what failed."""

from __future__ import annotations

import asyncio

import pytest

from inference.engine.batching import Batcher
from tests.inference.engine.test_batching import SlowModel, handed_in
from tests.monitoring.counting import counting


async def test_each_item_and_each_call_is_counted_and_nothing_stays_queued() -> None:
    model = SlowModel()
    with counting("meetra_engine_") as counted:
        batcher = Batcher("a task of this test", model, max_size=8)
        with counting("meetra_engine_queue_items") as waiting:
            tasks = await handed_in(batcher, [("a", "x"), ("b", "y"), ("c", "bad"), ("d", "z")])
        tasks[3].cancel()
        model.free.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[:2] == ["X", "Y"]
    with pytest.raises(ValueError, match="cannot do bad"):
        tasks[2].result()
    label = "{task=a task of this test}"
    assert waiting == {f"meetra_engine_queue_items{label}": 4}
    assert counted.pop(f"meetra_engine_queue_wait_seconds_sum{label}") >= 0
    assert counted.pop(f"meetra_engine_call_duration_seconds_sum{label}") >= 0
    assert counted == {
        # x alone, then y and bad together; what was cancelled is in none.
        f"meetra_engine_batch_items_count{label}": 2,
        f"meetra_engine_batch_items_sum{label}": 3,
        f"meetra_engine_queue_wait_seconds_count{label}": 3,
        f"meetra_engine_call_duration_seconds_count{label}": 2,
        f"meetra_engine_failed_items_total{label}": 1,
    }
