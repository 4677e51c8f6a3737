"""Tracks in any unit are brought to a level that 16 bits hold; ordinary ones are left alone."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from server.media.gain import LOWERED_TO, RAISED_TO, Peaks


def frame(samples: NDArray[Any], form: str) -> av.AudioFrame:
    return av.AudioFrame.from_ndarray(samples.reshape(1, -1), format=form, layout="mono")


def gain_of(*peaks: float, form: str = "flt", codec: str = "pcm_f32le", scale: float = 1.0) -> float:
    """The gain of a track of frames with these peaks."""
    track = Peaks(codec)
    kind = np.int32 if form == "s32" else np.float32
    for peak in peaks:
        track.add(frame(np.asarray([0, peak * scale, -peak * scale / 2], kind), form))
    return track.gain()


@pytest.mark.parametrize("peak", [0.0, 0.0032, 0.1, 1.0, 1.11])
def test_an_ordinary_level_has_no_gain(peak: float) -> None:
    assert gain_of(peak) == 1.0


@pytest.mark.parametrize("peak", [1.2, 32768.0, 1e30])
def test_what_is_in_another_unit_is_lowered_to_full_scale(peak: float) -> None:
    assert gain_of(peak, peak / 10) * peak == pytest.approx(LOWERED_TO)


@pytest.mark.parametrize("peak", [0.003, 1e-6, 1e-11])
def test_what_16_bits_would_hardly_hold_is_raised(peak: float) -> None:
    assert gain_of(peak) * peak == pytest.approx(RAISED_TO, rel=1e-5)


def test_noise_of_the_lowest_bits_is_no_sound() -> None:
    assert gain_of(1e-13) == 1.0
    assert gain_of(2.0**-23, form="s32", codec="pcm_s24le", scale=2.0**31) == 1.0
    assert gain_of(2.0**-18, form="s32", codec="pcm_s24le", scale=2.0**31) > 1.0


def test_one_broken_frame_is_not_the_level_of_the_track() -> None:
    assert gain_of(*[0.5] * 20, 1e9) == 1.0
    assert gain_of(1e9, 1e9, *[0.5] * 20) < 1.0


def test_what_is_no_number_is_no_peak() -> None:
    track = Peaks("pcm_f32le")
    track.add(frame(np.asarray([np.nan, np.inf, -np.inf, 0.5], np.float32), "flt"))
    assert track.gain() == 1.0


@pytest.mark.parametrize(("codec", "measured"), [("pcm_f32le", True), ("flac", True), ("opus", False), ("mp3", False)])
def test_a_lossy_codec_has_a_scale_of_its_own(codec: str, measured: bool) -> None:
    assert Peaks(codec).measuring is measured
    assert (gain_of(100.0, codec=codec) != 1.0) is measured
