"""Resampling to 16 kHz: each channel by itself, whatever its rate and format, however it is cut into frames."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from server.media.resampling import GROUP, MAX_CHANNELS, RATE_HZ, ChannelResampler, MonoResampler, to_s16
from tests.server.media.media_files import strength

SECONDS = 0.5


def tones(channels: int, rate_hz: int) -> NDArray[np.float32]:
    """(samples, channels): channel n is a tone of 200 + 50 n Hz."""
    time = np.arange(int(SECONDS * rate_hz)) / rate_hz
    hertz = 200 + 50 * np.arange(channels)
    return np.asarray(0.3 * np.sin(2 * np.pi * time[:, None] * hertz), np.float32)


def frames(samples: NDArray[np.float32], rate_hz: int, form: str, size: int) -> list[av.AudioFrame]:
    scaled: NDArray[Any] = samples if form.startswith("flt") else np.round(samples * 32767).astype(np.int16)
    made = []
    for first in range(0, len(samples), size):
        part = scaled[first : first + size]
        array = np.ascontiguousarray(part.T) if form.endswith("p") else np.ascontiguousarray(part).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(array, format=form, layout=layout(samples.shape[1]))
        frame.sample_rate = rate_hz
        made.append(frame)
    return made


def layout(channels: int) -> str:
    names = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
    return names.get(channels, f"{channels}C")


def resampled(made: list[av.AudioFrame]) -> NDArray[np.float32]:
    resampler = ChannelResampler()
    out = [chunk for frame in made for chunk in resampler(frame)]
    return np.concatenate([*out, *resampler.flush()])


@pytest.mark.parametrize("form", ["flt", "fltp", "s16", "s16p"])
@pytest.mark.parametrize(("channels", "rate_hz"), [(1, 48_000), (2, 44_100), (6, 8_000)])
def test_channels_keep_their_tones(channels: int, rate_hz: int, form: str) -> None:
    out = resampled(frames(tones(channels, rate_hz), rate_hz, form, 1024))
    assert out.shape[1] == channels
    assert len(out) == pytest.approx(SECONDS * RATE_HZ, abs=20)
    for channel in range(channels):
        pcm = to_s16(out[:, channel])
        found = [strength(pcm, 200 + 50 * other) for other in range(channels)]
        assert int(np.argmax(found)) == channel
        assert found[channel] == pytest.approx(0.3, abs=0.02)


def test_how_audio_is_cut_says_nothing() -> None:
    samples = tones(2, 44_100)
    whole = resampled(frames(samples, 44_100, "flt", len(samples)))
    for size in (100, 1024, 7777):
        parts = resampled(frames(samples, 44_100, "flt", size))
        assert np.array_equal(parts, whole)


def test_sixteen_kilohertz_pass_as_they_are() -> None:
    samples = tones(1, RATE_HZ)
    assert np.array_equal(resampled(frames(samples, RATE_HZ, "flt", 512)), samples)


@pytest.mark.parametrize("channels", [MAX_CHANNELS, MAX_CHANNELS + 1, MAX_CHANNELS + GROUP + 3])
def test_more_channels_than_the_library_takes_are_taken_in_groups(channels: int) -> None:
    samples = tones(channels, RATE_HZ)
    out = resampled(frames(samples, RATE_HZ, "flt", 4000))
    assert np.allclose(out, samples, atol=1e-6)


def test_a_stream_may_change_its_format_on_the_way() -> None:
    first, second = tones(2, 48_000), tones(1, 8_000)
    resampler = ChannelResampler()
    out = [c for f in frames(first, 48_000, "flt", 1024) for c in resampler(f)]
    out += [c for f in frames(second, 8_000, "s16", 160) for c in resampler(f)]
    out += list(resampler.flush())
    for channels in (2, 1):
        length = sum(len(chunk) for chunk in out if chunk.shape[1] == channels)
        assert length == pytest.approx(SECONDS * RATE_HZ, abs=30)
    assert [chunk.shape[1] for chunk in out] == sorted((chunk.shape[1] for chunk in out), reverse=True)


def test_one_channel_of_all_is_their_mean() -> None:
    samples = tones(2, RATE_HZ)
    resampler = MonoResampler()
    out = [chunk for frame in frames(samples, RATE_HZ, "flt", 1000) for chunk in resampler(frame)]
    mono = np.concatenate([*out, *resampler.flush()])
    assert np.allclose(mono, samples.mean(axis=1), atol=1e-5)


def test_every_16_bit_sample_survives_as_a_float() -> None:
    every = np.arange(-32768, 32768, dtype=np.int16)
    assert np.array_equal(to_s16(np.asarray(every / 32768, np.float32)), every)
    with np.errstate(over="ignore"):
        assert to_s16(np.asarray([np.nan, np.inf, -np.inf], np.float32)).tolist() == [0, 32767, -32768]
