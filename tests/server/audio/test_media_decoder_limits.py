"""What a recording may become: bounded by its rate before it is decoded, and by size and free disk while it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest

from server.audio.media_decoder import DecodedAudio, UnusableRecording, decode, probe
from server.channels import ChannelUse
from server.disk import DiskFull, DiskReserve
from tests.recordings import RATE_HZ, sample_pcm, wav

pytestmark = pytest.mark.children

SPEECH = sample_pcm()[: 2 * RATE_HZ]
# Decoders that heed nothing: they write four megabytes, and then stay.
SITECUSTOMIZE = """
import importlib, pathlib, sys, time
def heedless(module):
    pathlib.Path(sys.argv[-1], "1.raw").write_bytes(b"x" * 4_000_000)
    time.sleep(3600)
if "server.children.fork_server" in sys.orig_argv:
    importlib.import_module = heedless
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "recording"
    folder.mkdir()
    return folder / "original"


async def decoded(
    source: Path, channels: ChannelUse = ChannelUse.MIXED, *, max_bytes: int = 10**9, reserve_bytes: int = 0
) -> DecodedAudio:
    async def progress(_: float) -> None:
        await asyncio.sleep(0)

    disk = DiskReserve(source.parent, reserve_bytes)
    try:
        return await decode(
            source, source.with_name("pcm.raw"), 4 * 3600, progress, channels, max_bytes=max_bytes, disk=disk
        )
    finally:
        assert not list(source.parent.glob("decoding-*"))


@pytest.mark.parametrize("rate_hz", [1, 3999, 800_000])
async def test_a_rate_that_nobody_records_at_is_refused_before_a_sample_is_decoded(source: Path, rate_hz: int) -> None:
    source.write_bytes(wav(SPEECH[:6500], rate_hz))
    with pytest.raises(UnusableRecording, match=rf"sample rate of {rate_hz} Hz; rates from 4000 to 768000 Hz are"):
        await decoded(source)
    assert f"{rate_hz} Hz" in (await probe(source)).refused
    assert [path.name for path in source.parent.iterdir()] == ["original"]


async def test_all_tracks_together_are_bounded(source: Path) -> None:
    source.write_bytes(wav(np.stack([SPEECH, SPEECH[::-1], SPEECH // 2], 1)))
    size = 2 * len(SPEECH)
    audio = await decoded(source, ChannelUse.SEPARATE, max_bytes=3 * size)
    assert sum(track.samples for track in audio.tracks) == len(audio.tracks) * len(SPEECH)
    for path in source.parent.glob("pcm*"):
        path.unlink()
    with pytest.raises(UnusableRecording, match=f"exceed this server's limit of {3 * size - 1} bytes of decoded audio"):
        await decoded(source, ChannelUse.SEPARATE, max_bytes=3 * size - 1)


async def test_a_decoder_that_heeds_no_limit_is_ended(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write_bytes(wav(SPEECH))
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(UnusableRecording, match="wrote more than this server's limit"):
        await decoded(source, max_bytes=1_000_000)


async def test_without_its_reserve_a_disk_counts_as_full(source: Path) -> None:
    source.write_bytes(wav(SPEECH))
    with pytest.raises(DiskFull):
        await decoded(source, reserve_bytes=2**60)
    assert (await decoded(source)).tracks[0].samples == len(SPEECH)
