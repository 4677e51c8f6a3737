"""What counts as held, and how the most streams are found."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks.gpu_report import Report
from benchmarks.gpu_trials import RESOLUTION, StreamTrial, growth, is_held, most_held


def trial(streams: int, *, held: bool) -> StreamTrial:
    return StreamTrial(streams, 128, 0.1, 0.5, 0.0, 1.0, None, 10.0, held)


@pytest.mark.parametrize("first", [1, 40, 214, 500, 4000], ids=["one", "few", "just right", "many", "far too many"])
@pytest.mark.parametrize("limit", [1, 7, 214, 900])
def test_the_most_streams_are_found_from_any_beginning(first: int, limit: int) -> None:
    tried: list[int] = []

    async def run(count: int) -> StreamTrial:
        tried.append(count)
        return trial(count, held=count <= limit)

    best = asyncio.run(most_held(run, first, lambda: True))
    assert best is not None
    assert best.held
    assert best.streams <= limit <= best.streams + max(1, RESOLUTION * best.streams)
    assert len(tried) == len(set(tried))


def test_a_beginning_that_is_right_needs_few_trials() -> None:
    tried: list[int] = []

    async def run(count: int) -> StreamTrial:
        tried.append(count)
        return trial(count, held=count <= 600)

    asyncio.run(most_held(run, 560, lambda: True))
    assert len(tried) <= 4


def test_where_time_is_up_the_best_so_far_is_the_answer_and_where_none_is_held_there_is_none() -> None:
    async def run(count: int) -> StreamTrial:
        return trial(count, held=count <= 100)

    best = asyncio.run(most_held(run, 400, lambda: False))
    assert best is not None
    assert best.streams <= 100
    assert asyncio.run(most_held(lambda count: run(1000), 5, lambda: False)) is None


def test_a_lag_that_grows_is_not_held() -> None:
    steady = [(float(at), 0.4 + 0.01 * (at % 3)) for at in range(90)]
    assert growth(steady) == pytest.approx(0, abs=0.02)
    growing = [(float(at), 0.1 + 0.005 * at) for at in range(90)]
    assert growth(growing[::-1]) == pytest.approx(0.3, abs=0.02), "in the order of time, not of answers"
    assert growth([]) == 0
    assert is_held(0.5, growth(steady), 1.0)
    assert not is_held(0.5, growth(growing), 1.0)
    assert not is_held(1.1, 0.0, 1.0)
    assert not is_held(None, 0.0, 1.0), "some answers never came"


def test_results_are_in_the_file_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    report = Report(path)
    report.add("circumstances", {"commit": "1"})
    assert json.loads(path.read_text()) == {"circumstances": {"commit": "1"}}
    report.append("steps", {"sessions": 1})
    report.append("steps", {"sessions": 4})
    assert json.loads(path.read_text())["steps"] == [{"sessions": 1}, {"sessions": 4}]
