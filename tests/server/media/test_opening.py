"""Only a length that is surely stated may refuse an upload."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.media.opening import open_media, stated_duration_s
from tests.recordings import wav
from tests.server.media.media_files import Sound, media, tone

LOW = tone(440, 3)
STATED = {
    "wav": wav(LOW),
    "flac": media("flac", Sound([(0, LOW)], "flac", 44_100)),
    "mp4": media("mp4", Sound([(0, LOW)], "aac", 44_100)),
    "matroska": media("matroska", Sound([(0, LOW)])),
    "matroska from 20 000 s": media("matroska", Sound([(20_000, LOW)])),
    "mp4 from 20 000 s": media("mp4", Sound([(20_000, LOW)], "aac", 44_100)),
}
STREAMED = bytearray(wav(LOW))
STREAMED[4:8] = STREAMED[40:44] = b"\xff\xff\xff\x7f"
GUESSED = {
    "adts": media("adts", Sound([(0, LOW)], "aac", 44_100)),
    "mp3": media("mp3", Sound([(0, LOW)], "libmp3lame", 44_100, {"q": "0"}), options={"write_xing": "0"}),
    "ogg": media("ogg", Sound([(20_000, LOW)])),
    "mpegts": media("mpegts", Sound([(0, LOW)], "aac", 44_100)),
    "fragmented mp4": media("mp4", Sound([(0, LOW)], "aac", 44_100), options={"movflags": "frag_keyframe+empty_moov"}),
    "webm of a browser": media("webm", Sound([(0, LOW)]), options={"live": "1"}),
}


def stated(path: Path, data: bytes) -> float | None:
    path.write_bytes(data)
    with open_media(path, path) as container:
        return stated_duration_s(container, path)


@pytest.mark.parametrize("kind", STATED)
def test_a_length_that_a_container_knows_is_believed(tmp_path: Path, kind: str) -> None:
    assert stated(tmp_path / "file", STATED[kind]) == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("kind", GUESSED)
def test_a_length_that_is_guessed_is_none(tmp_path: Path, kind: str) -> None:
    assert stated(tmp_path / "file", GUESSED[kind]) is None


def test_a_wav_whose_samples_do_not_fit_its_file_states_nothing_longer(tmp_path: Path) -> None:
    found = stated(tmp_path / "file", bytes(STREAMED))
    assert found is None or found == pytest.approx(3, abs=0.1)
