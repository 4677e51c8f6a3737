"""No level is lost: channels that cancel, many channels, and floating-point samples in any unit."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.recordings import RATE_HZ, sample_pcm, wav
from tests.server.media.media_files import Sound, media, strength, tone
from tests.server.media.transcoded import mixed, transcoded

SPEECH = sample_pcm()[: 8 * RATE_HZ]


def float_wav(samples: NDArray[np.float64], bits: int = 32) -> bytes:
    """Samples (n,) or (n, channels) at 16 kHz in floating point."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    block = channels * bits // 8
    data = samples.astype(f"<f{bits // 8}").tobytes()
    form = struct.pack("<IHHIIHH", 16, 3, channels, RATE_HZ, RATE_HZ * block, block, bits)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(data)) + data
    )


def wav_24(samples: NDArray[np.int32]) -> bytes:
    """Mono at 16 kHz in 24 bits."""
    data = samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * 3, 3, 24)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(data)) + data
    )


def similarity(pcm: NDArray[np.int16]) -> float:
    return float(np.corrcoef(pcm, SPEECH)[0, 1])


def test_channels_that_cancel_are_heard() -> None:
    pcm = mixed(wav(np.stack([SPEECH, -SPEECH], 1)))
    assert np.abs(pcm.astype(int) - SPEECH).max() <= 40  # what is too soft to be heard may cancel


@pytest.mark.parametrize("channels", [9, 16, 64, 65, 130])
def test_any_number_of_channels_is_heard(channels: int) -> None:
    samples = np.zeros((2 * RATE_HZ, channels), np.int16)
    samples[:, -1] = tone(440, 2, 0.9)
    assert strength(mixed(wav(samples)), 440) == pytest.approx(0.9 / channels, rel=0.02)
    samples[:, -2] = -samples[:, -1]
    expected = 2 * 0.9 / channels if channels <= 64 else 0
    assert strength(mixed(wav(samples)), 440) == pytest.approx(expected, rel=0.02, abs=0.001)


@pytest.mark.parametrize(
    ("kind", "codec", "channels"), [("ogg", "libopus", 6), ("ogg", "libopus", 8), ("flac", "flac", 8)]
)
def test_every_channel_of_surround_sound_counts_the_same(kind: str, codec: str, channels: int) -> None:
    samples = np.stack([tone(300 + 100 * n, 3) for n in range(channels)], 1)
    pcm = mixed(media(kind, Sound([(0, samples)], codec)))[RATE_HZ : 2 * RATE_HZ]
    for channel in range(channels):
        assert strength(pcm, 300 + 100 * channel) == pytest.approx(0.3 / channels, rel=0.1)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("scale", [32768, 100, 2, 1e20, 1 / 32768, 2.0**-31, 1e-9])
def test_floats_far_from_full_scale_are_brought_into_it(scale: float, bits: int) -> None:
    outcome, (pcm,) = transcoded(float_wav(SPEECH / 32768 * scale, bits))
    assert similarity(pcm) > 0.999
    assert 3000 < np.abs(pcm.astype(int)).max() < 32767
    level = 20 * np.log10(np.sqrt(np.mean((SPEECH / 32768) ** 2)) * scale)
    assert outcome.tracks[0].level_dbfs == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("scale", [32768, 1e-9])
def test_channels_that_cancel_are_heard_in_any_unit(scale: float) -> None:
    assert similarity(mixed(float_wav(np.stack([SPEECH, -SPEECH], 1) / 32768 * scale))) > 0.999


@pytest.mark.parametrize("scale", [1, 0.5, 0.01, 1.3])
def test_floats_near_full_scale_come_through_as_they_are(scale: float) -> None:
    pcm = mixed(float_wav(SPEECH / 32768 * scale))
    assert np.abs(pcm - np.round(SPEECH * scale)).max() <= 1


def test_a_glitch_does_not_make_the_rest_inaudible() -> None:
    samples = SPEECH / 32768
    samples[1000] = 1e30
    samples[2000:2010] = np.nan, np.inf, *[-np.inf] * 8
    pcm = mixed(float_wav(samples))
    assert np.array_equal(pcm[3000:], SPEECH[3000:])


def test_24_bits_far_below_full_scale_are_raised_and_the_last_bits_are_not() -> None:
    quiet = mixed(wav_24(SPEECH.astype(np.int32) // 16))
    assert similarity(quiet) > 0.99
    assert np.abs(quiet.astype(int)).max() > 3000
    noise = np.random.default_rng(1).integers(-1, 2, RATE_HZ).astype(np.int32)
    assert not mixed(wav_24(noise)).any()


def test_each_track_has_a_gain_of_its_own() -> None:
    soft, normal = tone(440, 5, 0.3), tone(1000, 5, 0.3)
    file = media("matroska", Sound([(0, soft)], "pcm_f32le", 16_000), Sound([(0, normal)], "pcm_f32le", 16_000))
    loud = bytearray(file)
    samples = soft / 32768
    for start in range(0, len(samples) - 1024, 1024):
        block = samples[start : start + 1024].astype("<f4")
        at = loud.find(block.tobytes())
        if at >= 0:
            loud[at : at + 4096] = (block * 1000).astype("<f4").tobytes()
    pcm = mixed(bytes(loud))
    assert strength(pcm[: 4 * RATE_HZ], 440) > 0.3
    assert strength(pcm[: 4 * RATE_HZ], 1000) > 0.2
