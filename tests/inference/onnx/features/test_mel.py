"""Slaney's filters: triangles of unit area, in order, over the whole band."""

from __future__ import annotations

import numpy as np
import pytest

from inference.onnx.features.mel import slaney_filters


@pytest.mark.parametrize(("bands", "n_fft"), [(80, 400), (80, 512), (128, 512)])
def test_filters_are_triangles_of_unit_area_in_order(bands: int, n_fft: int) -> None:
    filters = slaney_filters(bands, n_fft)
    assert filters.shape == (bands, n_fft // 2 + 1)
    assert filters.dtype == np.float32
    assert filters.min() == 0
    peaks = filters.argmax(axis=1)
    assert (np.diff(peaks) >= 0).all()
    assert filters[:, 0].max() < 1e-6
    # The area is 1 where a triangle spans enough bins for the sum to be an integral.
    width_hz = 16_000 / n_fft
    assert filters[-10:].sum(axis=1) * width_hz == pytest.approx(np.ones(10), abs=0.05)


def test_bands_are_even_below_one_kilohertz_and_wider_above() -> None:
    filters = slaney_filters(40, 4096)
    centres = filters.argmax(axis=1) * 16_000 / 4096
    gaps = np.diff(centres)
    low = gaps[centres[1:] < 1000]
    assert low.max() - low.min() <= 2 * 16_000 / 4096
    high = gaps[centres[:-1] > 1500]
    assert (high[3:] > high[:-3]).all()
