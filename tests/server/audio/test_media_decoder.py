"""Decoding in a child: any format to 16 kHz mono, and no file takes more than its own meeting down."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from server.audio.media_decoder import UnusableRecording, decode, probe
from server.channels import ChannelUse
from tests.recordings import EVAL, RATE_HZ, ROOT, encoded, sample_pcm, wav

pytestmark = pytest.mark.children

SPEECH = sample_pcm()[: 4 * RATE_HZ]


async def decoded(path: Path, limit_s: float = 600) -> tuple[np.ndarray, bool]:
    async def progress(_: float) -> None:
        await asyncio.sleep(0)

    audio = await decode(path, path.with_name("pcm.raw"), limit_s, progress)
    assert not list(path.parent.glob("decoding-*"))
    (track,) = audio.tracks
    return np.fromfile(track.path, "<i2"), audio.damaged


FORMATS = {
    "wav": lambda: wav(SPEECH),
    "flac": lambda: encoded(SPEECH, "flac", "flac"),
    "mp3": lambda: encoded(SPEECH, "mp3", "libmp3lame"),
    "ogg": lambda: encoded(SPEECH, "ogg", "libopus"),
    "mp4": lambda: encoded(SPEECH, "mp4", "aac"),
    "webm": lambda: encoded(SPEECH, "webm", "libopus"),
    "matroska with subtitles": lambda: encoded(SPEECH, "matroska", "aac", subtitles=True),
}


@pytest.mark.parametrize("kind", FORMATS)
async def test_any_format_becomes_the_same_sound(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "original"
    source.write_bytes(FORMATS[kind]())
    found, damaged = await decoded(source)
    assert not damaged
    assert len(found) / RATE_HZ == pytest.approx(4, abs=0.15)
    power = np.square(found / 32768.0).mean()
    assert power == pytest.approx(np.square(SPEECH / 32768.0).mean(), rel=0.25)
    if kind in ("wav", "flac"):
        assert np.abs(found.astype(int) - SPEECH).max() <= 2


def test_a_decoder_has_imported_all_that_files_may_ask_for() -> None:
    code = (
        "import pkgutil, sys, av, server.children.decode_media\n"
        "print(*sorted({m.name for m in pkgutil.walk_packages(av.__path__, 'av.')} - set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    # A program, and downloads of examples.
    assert done.stdout.split() == ["av.__main__", "av.datasets"]


async def test_channels_are_averaged(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(np.stack([SPEECH, np.zeros_like(SPEECH)], 1)))
    found, _ = await decoded(source)
    assert np.abs(found.astype(int) - SPEECH // 2).max() <= 2


@pytest.mark.parametrize("channels", [3, 8, 65])
async def test_a_recorder_with_many_channels_is_heard(tmp_path: Path, channels: int) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(np.stack([SPEECH] + [np.zeros_like(SPEECH)] * (channels - 1), 1)))
    found, damaged = await decoded(source)
    assert not damaged
    assert np.abs(found.astype(int) - SPEECH // channels).max() <= 2


REFUSED = {
    b"": "empty",
    b"Dear all, " * 100: "not a readable audio or video file",
    b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n": "not a readable audio or video file|not accepted",
}


@pytest.mark.parametrize("content", REFUSED)
async def test_what_cannot_be_used_is_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "original"
    source.write_bytes(content)
    with pytest.raises(UnusableRecording, match=REFUSED[content]):
        await decoded(source)


async def test_a_video_without_sound_and_a_recording_too_long_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(encoded(SPEECH, "mp4", "mpeg4", video=True))
    with pytest.raises(UnusableRecording, match="no audio stream"):
        await decoded(source)
    source.write_bytes(wav(SPEECH))
    with pytest.raises(UnusableRecording, match="exceeds this server's limit"):
        await decoded(source, limit_s=3)


async def test_a_recording_cut_short_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    source = tmp_path / "original"
    whole = encoded(SPEECH, "flac", "flac")
    source.write_bytes(whole[: len(whole) // 2])
    found, _ = await decoded(source)
    assert 0.5 < len(found) / RATE_HZ < 3.5


async def test_the_stated_length_is_probed_and_nothing_fails_on_garbage(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(SPEECH))
    stated = await probe(source)
    assert stated.audio
    assert stated.duration_s == pytest.approx(4, abs=0.01)
    source.write_bytes(b"garbage")
    assert (await probe(source)).duration_s is None


async def test_a_finished_decoding_is_used_again(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(SPEECH))
    first, _ = await decoded(source)
    source.unlink()
    again, _ = await decoded(source)
    assert np.array_equal(first, again)
    assert json.loads((tmp_path / "pcm.json").read_text())["samples"] == len(first)


async def test_what_an_earlier_version_decoded_is_decoded_again(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(SPEECH))
    (tmp_path / "pcm.raw").write_bytes(bytes(2000))
    (tmp_path / "pcm.json").write_text('{"samples": 1000, "damaged": false}')
    found, _ = await decoded(source)
    assert np.array_equal(found, SPEECH)


async def test_mixed_and_apart_lie_beside_each_other_and_each_is_used_again(tmp_path: Path) -> None:
    async def progress(_: float) -> None:
        await asyncio.sleep(0)

    source, target = tmp_path / "original", tmp_path / "pcm.raw"
    source.write_bytes(wav(np.stack([SPEECH, np.zeros_like(SPEECH), SPEECH[::-1]], 1)))
    for _ in range(2):
        separate = await decode(source, target, 600, progress, ChannelUse.SEPARATE)
        together = await decode(source, target, 600, progress)
        assert separate.channel_count == 3
        assert [(track.index, track.display_name) for track in separate.tracks] == [(0, "channel 1"), (2, "channel 3")]
        first, second = (np.fromfile(track.path, "<i2") for track in separate.tracks)
        assert np.array_equal(first, SPEECH)
        assert np.array_equal(second, SPEECH[::-1])
        (mix,) = together.tracks
        assert mix.path == target
        assert together.duration_s == separate.duration_s == len(SPEECH) / RATE_HZ
        source.unlink(missing_ok=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "pcm-1.raw",
        "pcm-3.raw",
        "pcm.channels.json",
        "pcm.json",
        "pcm.raw",
    ]


async def test_a_refusal_reaches_whoever_asked(tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(SPEECH[:0]))
    with pytest.raises(UnusableRecording, match=r"^the recording contains no audio: 0 samples$"):
        await decoded(source)


BROKEN = sorted(path for path in (EVAL / "broken").rglob("*") if path.suffix in (".flac", ".wav"))


@pytest.mark.skipif(not BROKEN, reason="no evaluation data beside the checkout")
async def test_odd_and_broken_files_end_decoded_or_refused(tmp_path: Path) -> None:
    for index, path in enumerate(BROKEN):
        folder = tmp_path / str(index)
        folder.mkdir()
        source = folder / "original"
        source.write_bytes(path.read_bytes())
        outcome = await asyncio.gather(decoded(source), return_exceptions=True)
        if isinstance(outcome[0], UnusableRecording):
            assert "crashed" not in str(outcome[0]), path.name
        else:
            assert not isinstance(outcome[0], BaseException), path.name
            assert len(outcome[0][0]), path.name
