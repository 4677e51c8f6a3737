"""Recordings made for work on diarization, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.diarization_data import Case, write_case
from benchmarks.recordings import RATE_HZ, read_samples
from benchmarks.scoring import SpokenInterval, read_rttm


def test_a_case_is_read_as_it_was_written(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, RATE_HZ).astype(np.float32)
    case = Case("spliced 0.1", samples, (SpokenInterval(0.25, 0.5, "reader"), SpokenInterval(0.4, 0.9, "other")))
    path = write_case(case, tmp_path / "spliced 0")
    assert path.name == "spliced-0.1.flac"
    assert read_samples(path) == pytest.approx(samples, abs=1 / 32768)
    read = read_rttm(path.with_suffix(".rttm"))
    assert [one.speaker for one in read] == ["reader", "other"]
    assert [(one.start_s, one.end_s) for one in read] == [pytest.approx((0.25, 0.5)), pytest.approx((0.4, 0.9))]
