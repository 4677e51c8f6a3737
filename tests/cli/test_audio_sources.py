"""Sources of ``meetra stream``: blocks of whole samples, from anywhere in a recording; refusals name the path."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.audio_sources import BLOCK_S, AudioSource, SourceUnusable, _in_blocks, read_blocks, recording, standard_input
from meetra_client import Track
from tests.recordings import RATE_HZ, sample_pcm, wav

BLOCK_BYTES = int(BLOCK_S * RATE_HZ) * 2
PCM = sample_pcm()[: RATE_HZ + 77]


@given(st.lists(st.binary(max_size=2 * BLOCK_BYTES), max_size=6))
def test_blocks_are_of_one_size_but_the_last_and_nothing_is_lost(pieces: list[bytes]) -> None:
    blocks = list(_in_blocks(iter(pieces)))
    assert b"".join(blocks) == b"".join(pieces)
    assert all(len(block) == BLOCK_BYTES for block in blocks[:-1])
    assert all(0 < len(block) <= BLOCK_BYTES for block in blocks[-1:])


@pytest.mark.parametrize("first", [0, 1, 1600, 16_076, 16_077, 20_000])
def test_a_recording_goes_on_from_any_sample(tmp_path: Path, first: int) -> None:
    path = tmp_path / "meeting.wav"
    path.write_bytes(wav(PCM))
    source = recording(path, "mix", "")
    source.probe()
    heard = np.frombuffer(b"".join(source.blocks(first)), np.int16)
    assert np.array_equal(heard, PCM[first:])


@pytest.mark.parametrize("content", [None, b"", b"no audio at all"])
def test_what_is_no_recording_is_refused_by_its_path(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.wav"
    if content is not None:
        path.write_bytes(content)
    source = recording(path, "mix", "")
    with pytest.raises(SourceUnusable, match=str(path)):
        source.probe()
    with pytest.raises(SourceUnusable, match=str(path)):
        list(source.blocks(0))


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(SourceUnusable, match="recording not found"):
        recording(tmp_path, "mix", "").probe()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a pipe whose other end is standard input."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield writing


def test_samples_of_standard_input_are_whole_however_they_come(typed: int) -> None:
    blocks = standard_input(16_000, 2, [], separate=False).blocks(0)
    os.write(typed, b"1234567")
    assert next(blocks) == b"1234"
    os.write(typed, b"8")
    assert next(blocks) == b"5678"
    os.write(typed, b"left")
    assert next(blocks) == b"left"
    os.write(typed, b"xy")
    os.close(typed)
    # Half a sample at the end is none.
    assert list(blocks) == []


def test_tracks_of_standard_input_are_what_was_said_of_them() -> None:
    mixed = standard_input(8000, 1, [], separate=False).track
    assert mixed == Track("mix", sample_rate_hz=8000)
    ada = standard_input(16_000, 1, ["Ada"], separate=False).track
    assert (ada.participant_name, ada.separate) == ("Ada", False)
    call = standard_input(8000, 2, ["Ada", "Grace"], separate=True).track
    assert (call.separate, tuple(call.channel_names), call.channels) == (True, ("Ada", "Grace"), 2)


def counted(stop_at: int, failing: BaseException | None = None, ahead: int = 3) -> tuple[AudioSource, list[int]]:
    """A source of numbered blocks, and the numbers that were read of it."""
    read: list[int] = []

    def blocks(first: int) -> Iterator[bytes]:
        for number in range(first, stop_at):
            read.append(number)
            yield bytes([number])
        if failing is not None:
            raise failing

    return AudioSource(Track("mix"), blocks, lambda: None, paced=False, blocks_ahead=ahead), read


async def test_blocks_come_in_order_from_where_they_were_asked_for() -> None:
    source, _ = counted(40)
    async with aclosing(read_blocks(source, 5)) as blocks:
        assert [block[0] async for block in blocks] == list(range(5, 40))


async def test_what_a_source_raises_comes_after_its_blocks() -> None:
    source, _ = counted(2, SourceUnusable("the microphone is gone"))
    async with aclosing(read_blocks(source, 0)) as blocks:
        assert [await anext(blocks), await anext(blocks)] == [b"\x00", b"\x01"]
        with pytest.raises(SourceUnusable, match="the microphone is gone"):
            await anext(blocks)


async def test_a_source_is_not_read_further_ahead_than_it_may() -> None:
    source, read = counted(100, ahead=3)
    async with aclosing(read_blocks(source, 0)) as blocks:
        await anext(blocks)
        while len(read) < 4:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        # One is here, three wait, and one more waits for room.
        assert len(read) <= 5
    left = len(read)
    await asyncio.sleep(0.01)
    assert len(read) <= left + 1


def test_a_track_of_a_recording_is_a_participant_s_where_a_name_is_given() -> None:
    source = recording(Path("x"), "participant-1", "Ada")
    assert (source.track.track_id, source.track.participant_name, source.paced) == ("participant-1", "Ada", True)
