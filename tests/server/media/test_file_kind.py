"""What a file is, by its first bytes: said to whoever sent it, whatever the bytes are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.media.file_kind import ENCRYPTED, NO_INDEX, explain_unreadable, states_length, track_codecs


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def of(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content)
    return path


def sound_track(entry: bytes) -> bytes:
    """A track of an MP4, as far as it is looked at."""
    return box(b"trak", box(b"hdlr", bytes(8) + b"soun") + box(b"stsd", bytes(8) + bytes(4) + entry))


FTYP = box(b"ftyp", b"isom" + bytes(4))


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PK\x03\x04", "a ZIP archive: upload the recording"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<!doctype html>", "a web page: download"),
        (b"<HTML>", "a web page: download"),
        (b"RIFF", "the WAV file is damaged"),
        (b"OggS", "the Ogg file is damaged"),
        (b"", "not a readable audio or video file; WAV, FLAC"),
        (b"hello", "not a readable audio or video file; WAV, FLAC"),
        (FTYP, NO_INDEX),
        (FTYP + box(b"moov", b"x" * 100)[:50], NO_INDEX),
        (FTYP + box(b"moov", b""), "the MP4 file is damaged"),
        (FTYP + (0).to_bytes(4, "big") + b"moov" + b"to the end", "the MP4 file is damaged"),
    ],
)
def test_why_a_file_cannot_be_read_is_said(tmp_path: Path, start: bytes, said: str) -> None:
    assert said in explain_unreadable(of(tmp_path, start))


@pytest.mark.parametrize(
    ("content", "codecs"),
    [
        (FTYP + box(b"moov", sound_track(b"mp4a") + sound_track(b"enca")), ["mp4a", ENCRYPTED]),
        (FTYP + box(b"free", bytes(50)) + box(b"moov", sound_track(b"apac")), ["apac"]),
        (FTYP + box(b"moov", box(b"trak", box(b"hdlr", bytes(8) + b"vide"))), []),
        (FTYP, []),
        (b"\x1a\x45\xdf\xa3" + b"\x86\x86A_OPUS" + b"\x86\x86A_XYZ1", ["A_OPUS", "A_XYZ1"]),
        (b"RIFF" + bytes(8) + b"fmt \x10\x00\x00\x00\x61\x01", ["0x0161"]),
        (b"RIFF", []),
        (b"", []),
    ],
)
def test_codecs_of_tracks_are_found(tmp_path: Path, content: bytes, codecs: list[str]) -> None:
    assert track_codecs(of(tmp_path, content)) == codecs


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        (b"RIFF", True),
        (FTYP + box(b"moov", b"mvhd"), True),
        (FTYP + box(b"moov", b"mvex"), False),
        (b"\x1a\x45\xdf\xa3", False),
        (b"\x1a\x45\xdf\xa3\x44\x89\x88", True),
    ],
)
def test_files_that_browsers_write_state_no_length(tmp_path: Path, content: bytes, stated: bool) -> None:
    assert states_length(of(tmp_path, content)) is stated


def test_boxes_that_lead_nowhere_end(tmp_path: Path) -> None:
    for size in (0, 1, 2, 7):
        assert explain_unreadable(of(tmp_path, FTYP + size.to_bytes(4, "big") + b"free" + bytes(20))) == NO_INDEX
    endless = FTYP + (1).to_bytes(4, "big") + b"free" + (2**64 - 1).to_bytes(8, "big")
    assert explain_unreadable(of(tmp_path, endless)) == NO_INDEX


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([b"", FTYP, b"\x1a\x45\xdf\xa3", b"RIFF"]), st.binary(max_size=200))
def test_no_bytes_are_too_much(tmp_path: Path, start: bytes, rest: bytes) -> None:
    path = of(tmp_path, start + rest)
    assert explain_unreadable(path)
    assert all(isinstance(codec, str) for codec in track_codecs(path))
    assert states_length(path) in (True, False)
