"""A decoder that was taken over lies to the server: nothing of it is believed that could do harm."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from server.audio.decoder_messages import Outcome, read_message
from server.audio.media_decoder import DecoderDied, decode, probe
from server.channels import ChannelUse
from tests.doomed_children import Doom
from tests.recordings import wav
from tests.server.media.media_files import tone

TRACK = {"file": "1.raw", "samples": 16_000, "place": 0, "called": "", "level_dbfs": -20.0}
WHOLE = {"tracks": [TRACK], "places": 1, "samples": 16_000, "damaged": False, "remarks": []}


def track(**changes: Any) -> dict[str, Any]:
    return {**WHOLE, "tracks": [{**TRACK, **changes}]}


LIES = {
    "a file above its folder": track(file="../original"),
    "a file by its whole path": track(file="/etc/hostname"),
    "a file that it did not write": track(),
    "an empty name": track(file=""),
    "a folder": track(file="."),
    "a place that is a path": track(place="../../x"),
    "a place below the first": track(place=-1),
    "no samples": track(samples=0),
    "samples beyond all bounds": track(samples=2**70),
    "a level that is no number": track(level_dbfs="-20"),
    "no tracks": {**WHOLE, "tracks": []},
    "the same file twice": {**WHOLE, "tracks": [TRACK, {**TRACK, "place": 1}]},
    "more than it was asked": {**WHOLE, "version": 2},
    "a remark without end": {**WHOLE, "remarks": ["x" * 100_000]},
    "remarks without end": {**WHOLE, "remarks": ["x"] * 10_000},
    "a list of numbers": [1, 2, 3],
    "progress backwards": {"decoded_s": -1.0},
    "progress in words": {"decoded_s": "soon"},
}


@pytest.fixture
def doom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doom:
    made = Doom(tmp_path / "doom")
    monkeypatch.setenv("PYTHONPATH", made.python_path())
    return made


async def progress(_: float) -> None:
    await asyncio.sleep(0)


def test_the_truth_is_believed() -> None:
    assert isinstance(read_message(json.dumps(WHOLE).encode()), Outcome)


@pytest.mark.parametrize("lie", [name for name in LIES if name != "a file that it did not write"])
def test_a_lie_is_no_message(lie: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_message(json.dumps(LIES[lie]).encode())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e999"])
def test_a_length_that_is_no_number_is_no_message(number: str) -> None:
    for line in (f'{{"decoded_s":{number}}}', f'{{"audio":true,"duration_s":{number}}}'):
        with pytest.raises(ValueError, match="validation error"):
            read_message(line.encode())


@pytest.mark.parametrize("channels", list(ChannelUse))
@pytest.mark.parametrize("lie", ["a file above its folder", "a file that it did not write"])
async def test_a_lie_moves_no_file(tmp_path: Path, doom: Doom, lie: str, channels: ChannelUse) -> None:
    source = tmp_path / "recording" / "original"
    source.parent.mkdir()
    source.write_bytes(wav(tone(440, 1)))
    doom.decoders(2, json.dumps(LIES[lie], separators=(",", ":")))
    with pytest.raises(DecoderDied):
        await decode(source, source.with_name("pcm.raw"), 600, progress, channels)
    assert [path.name for path in source.parent.iterdir()] == ["original"]
    assert source.read_bytes() == wav(tone(440, 1))


async def test_a_probe_that_lies_states_nothing(tmp_path: Path, doom: Doom) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(tone(440, 1)))
    doom.decoders(2, '{"audio":"yes","duration_s":[]}', probing=True)
    stated = await probe(source)
    assert (stated.audio, stated.duration_s) == (None, None)
