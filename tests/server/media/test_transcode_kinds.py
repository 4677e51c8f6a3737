"""Ordinary files of all kinds: the same sound, at the same times."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from server.media.refusal import Refused
from tests.recordings import RATE_HZ, wav
from tests.server.media.media_files import Samples, Sound, heard, media, strength, tone
from tests.server.media.transcoded import mixed, transcoded

BOTH = np.concatenate([tone(440, 2), tone(1000, 2)])
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
# Container, codec, samples a second.
KINDS = [
    ("3gp", "aac", 44_100),
    ("3gp", "libopencore_amrnb", 8000),
    ("ac3", "ac3", 48_000),
    ("aiff", "pcm_s16be", 44_100),
    ("aiff", "pcm_s24be", 48_000),
    ("amr", "libopencore_amrnb", 8000),
    ("au", "pcm_f32be", 16_000),
    ("au", "pcm_mulaw", 8000),
    ("avi", "aac", 44_100),
    ("avi", "libmp3lame", 44_100),
    ("caf", "alac", 44_100),
    ("caf", "pcm_s16be", 44_100),
    ("eac3", "eac3", 48_000),
    ("flac", "flac", 192_000),
    ("flv", "libmp3lame", 44_100),
    ("ipod", "aac", 44_100),
    ("latm", "aac", 44_100),
    ("mov", "pcm_s24le", 48_000),
    ("mp2", "mp2", 44_100),
    ("mpegts", "ac3", 48_000),
    ("mpegts", "libopus", 48_000),
    ("ogg", "flac", 44_100),
    ("swf", "libmp3lame", 44_100),
    ("tta", "tta", 44_100),
    ("vob", "mp2", 48_000),
    ("w64", "pcm_s16le", 44_100),
    ("wav", "adpcm_ima_wav", 22_050),
    ("wav", "adpcm_ms", 22_050),
    ("wav", "g722", 16_000),
    ("wav", "libmp3lame", 44_100),
    ("wav", "pcm_alaw", 8000),
    ("wav", "pcm_f64le", 48_000),
    ("wav", "pcm_s16le", 4000),
    ("wav", "pcm_s16le", 192_000),
    ("wav", "pcm_s24le", 48_000),
    ("wav", "pcm_s32le", 48_000),
    ("wav", "pcm_u8", 11_025),
    ("wv", "wavpack", 44_100),
]


def check(pcm: Samples, start_s: float = 0.0) -> None:
    assert heard(pcm, 440) == [pytest.approx((start_s, start_s + 2), abs=0.1)]
    assert heard(pcm, 1000) == [pytest.approx((start_s + 2, start_s + 4), abs=0.1)]


@pytest.mark.parametrize(("container", "codec", "rate_hz"), KINDS, ids=lambda value: str(value))
def test_files_of_all_kinds_sound_the_same(container: str, codec: str, rate_hz: int) -> None:
    check(mixed(media(container, Sound([(0, BOTH)], codec, rate_hz))))


def test_what_browsers_write_is_heard() -> None:
    check(mixed(media("mp4", Sound([(0, BOTH)], "aac", 44_100), options=FRAGMENTED)))
    check(mixed(media("webm", Sound([(0, BOTH)]), options={"live": "1"})))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_that_was_streamed_is_heard_to_its_end(size: int) -> None:
    data = bytearray(wav(BOTH))
    data[4:8] = data[40:44] = struct.pack("<I", size)
    assert np.array_equal(mixed(bytes(data)), BOTH)


def extensible(samples: Samples, mask: int) -> bytes:
    """A WAV of (samples, channels) that says by a mask where its loudspeakers stand."""
    data, channels = samples.astype("<i2").tobytes(), samples.shape[1]
    pcm = bytes.fromhex("0100000000001000800000aa00389b71")
    form = struct.pack(
        "<HHIIHHHHI16s", 0xFFFE, channels, RATE_HZ, RATE_HZ * channels * 2, channels * 2, 16, 22, 16, mask, pcm
    )
    chunks = b"WAVEfmt " + struct.pack("<I", 40) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@pytest.mark.parametrize(
    ("channels", "mask"),
    [(1, 0x8), (2, 0), (2, 0x9), (2, 0xFFFFFFFF), (2, 0x60000000), (3, 0x1), (4, 0x80000000), (6, 0x3F), (8, 0x63F)],
)
def test_where_loudspeakers_stand_does_not_matter(channels: int, mask: int) -> None:
    samples = np.zeros((len(BOTH), channels), np.int16)
    samples[:, -1] = BOTH
    pcm = mixed(extensible(samples, mask))
    assert np.abs(pcm - BOTH / channels).max() <= 1


MP3 = media("mp3", Sound([(0, BOTH)], "libmp3lame", 44_100))
ID3 = b"ID3\x04\x00\x00" + bytes([0, 61, 9, 0]) + bytes(61 * 128 * 128 + 9 * 128)
AROUND = {
    "a picture of 1 MB before": ID3 + MP3,
    "an APE tag behind": MP3 + b"APETAGEX" + struct.pack("<IIII", 2000, 50_000, 1, 0xA0000000) + bytes(50_008),
    "other bytes before": bytes(range(256)) * 40 + MP3,
}


@pytest.mark.parametrize("what", AROUND)
def test_an_mp3_with_other_things_around_it_is_heard(what: str) -> None:
    check(mixed(AROUND[what]))


def test_a_file_cut_off_is_heard_as_far_as_it_goes() -> None:
    for container, codec, options in (("wav", "pcm_s16le", {}), ("mp4", "aac", FRAGMENTED), ("webm", "libopus", {})):
        whole = media(container, Sound([(0, BOTH)], codec, 48_000), options=options)
        _, (pcm,) = transcoded(whole[: len(whole) * 3 // 4])
        assert heard(pcm, 440)[0] == pytest.approx((0, 2), abs=0.1)


def test_a_flac_damaged_in_the_middle_keeps_its_times() -> None:
    whole = bytearray(media("flac", Sound([(0, BOTH)], "flac", 44_100)))
    middle = len(whole) // 4
    whole[middle : middle + 3000] = bytes(3000)
    _, (pcm,) = transcoded(bytes(whole))
    assert heard(pcm, 1000) == [pytest.approx((2, 4), abs=0.1)]


def of_many_channels(channels: int, layout: str, family: int) -> bytes:
    """Opus with a tone of its own on each channel; it is decoded with a plane for each."""
    samples = np.stack([tone(300 + 20 * channel, 1, rate_hz=48_000) for channel in range(channels)], 1)
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        stream: Any = container.add_stream(
            "libopus", rate=48_000, layout=layout, options={"mapping_family": str(family)}
        )
        for at in range(0, len(samples), 960):
            packed = np.ascontiguousarray(samples[at : at + 960]).reshape(1, -1)
            frame: Any = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize(("channels", "layout", "family"), [(70, "70 channels", 255), (81, "ambisonic 8", 2)])
def test_any_number_of_channels_is_heard_also_in_planes(channels: int, layout: str, family: int) -> None:
    data = of_many_channels(channels, layout, family)
    pcm = mixed(data)
    assert len(pcm) == pytest.approx(RATE_HZ, abs=RATE_HZ / 50)
    for channel in (0, 7, 8, 63, 64, channels - 1):
        assert strength(pcm, 300 + 20 * channel) == pytest.approx(0.3 / channels, rel=0.2)
    with pytest.raises(Refused, match=f"{channels} channels; channels=separate supports at most 32"):
        transcoded(data, separate=True)
