"""A decoder that dies is not the recording's fault: another tries, and what then fails may be tried anew."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import numpy as np
import pytest

from server.audio.media_decoder import DecoderDied, UnusableRecording, decode, probe
from tests.doomed_children import Doom
from tests.recordings import RATE_HZ, sample_pcm, wav

pytestmark = pytest.mark.children

SPEECH = sample_pcm()[: 2 * RATE_HZ]


@pytest.fixture
def doom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doom:
    made = Doom(tmp_path / "doom")
    monkeypatch.setenv("PYTHONPATH", made.python_path())
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "original"
    made.write_bytes(wav(SPEECH))
    return made


async def decoded(source: Path) -> int:
    """How many samples; what was decoded is that of the recording."""

    async def progress(_: float) -> None:
        await asyncio.sleep(0)

    audio = await decode(source, source.with_name("pcm.raw"), 600, progress)
    (track,) = audio.tracks
    assert np.array_equal(np.fromfile(track.path, "<i2"), SPEECH)
    return track.samples


@pytest.mark.parametrize("ending", [signal.SIGSEGV, signal.SIGKILL, "nonsense", "[1]", "{"])
async def test_a_decoder_that_dies_is_replaced_once_and_the_recording_is_decoded(
    source: Path, doom: Doom, ending: signal.Signals | str
) -> None:
    doom.decoders(1, ending)
    assert await decoded(source) == len(SPEECH)
    assert not doom.still_to_die


async def test_two_that_die_fail_the_recording_until_it_is_tried_anew(source: Path, doom: Doom) -> None:
    doom.decoders(2, signal.SIGSEGV)
    with pytest.raises(DecoderDied, match=r"crashed twice on this recording \(signal 11\); upload it again to"):
        await decoded(source)
    assert not doom.still_to_die
    assert not list(source.parent.glob("decoding-*"))
    assert await decoded(source) == len(SPEECH)


async def test_one_that_used_up_its_processor_time_is_not_replaced(source: Path, doom: Doom) -> None:
    doom.decoders(2, signal.SIGXCPU)
    with pytest.raises(UnusableRecording, match="limit on processor time"):
        await decoded(source)
    assert doom.still_to_die == 1


async def test_a_probe_that_dies_is_replaced_once_and_then_nothing_is_known(source: Path, doom: Doom) -> None:
    doom.decoders(1, signal.SIGSEGV, probing=True)
    assert (await probe(source)).duration_s == pytest.approx(2)
    doom.decoders(2, "nonsense", probing=True)
    stated = await probe(source)
    assert (stated.audio, stated.duration_s) == (None, None)
    assert not doom.still_to_die
