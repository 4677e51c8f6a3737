"""The level of audio that passes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from server.audio.level import LevelMeter, measure_level


def test_a_full_square_wave_is_at_0_dbfs_and_a_sine_3_below() -> None:
    square, sine = LevelMeter(), LevelMeter()
    square.add(np.tile(np.array([-32768, 32767], np.int16), 8000).tobytes())
    sine.add(np.int16(32767 * np.sin(np.arange(16_000) * 2 * np.pi / 16)).tobytes())
    assert square.dbfs == pytest.approx(0, abs=0.01)
    assert sine.dbfs == pytest.approx(-3.01, abs=0.01)


def test_nothing_and_digital_silence_have_no_level() -> None:
    meter = LevelMeter()
    assert (meter.samples, meter.dbfs, meter.silent) == (0, None, False)
    meter.add(bytes(200))
    assert (meter.samples, meter.dbfs, meter.silent) == (100, None, True)
    meter.add(b"\x01\x00")
    assert not meter.silent


async def test_what_is_metered_passes_as_it_is() -> None:
    pieces = [np.full(n, 1000, np.int16).tobytes() for n in (1, 512, 0, 7)]

    async def pcm() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    meter = LevelMeter()
    assert [piece async for piece in measure_level(pcm(), meter)] == pieces
    assert meter.samples == 520
    assert meter.dbfs == pytest.approx(20 * np.log10(1000 / 32768))
