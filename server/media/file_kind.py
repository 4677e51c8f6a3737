"""Identification of file types by their first bytes, for error messages: demuxers do not say why they fail."""

from __future__ import annotations

import re
from typing import BinaryIO

from server.media.opened_file import Recording

# Enough for the index of an MP4 of many hours.
MAX_INDEX_BYTES = 64 * 1024 * 1024
MAX_BOXES = 100_000
# A box may state a size of 64 bits, files have offsets of 63.
MAX_OFFSET = 2**63 - 1
MAX_HEADER_BYTES = 1024 * 1024
MATROSKA = b"\x1a\x45\xdf\xa3"
MAGIC = {
    b"RIFF": "WAV",
    b"RF64": "WAV",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    MATROSKA: "Matroska or WebM",
    b"FORM": "AIFF",
    b"#!AMR": "AMR",
    b"caff": "CAF",
    b"FLV\x01": "FLV",
}
NOT_MEDIA = {
    b"PK\x03\x04": "a ZIP archive: upload the recording inside it",
    b"\x1f\x8b": "a gzip archive: upload the recording inside it",
    b"Rar!": "a RAR archive: upload the recording inside it",
    b"7z\xbc\xaf": "a 7z archive: upload the recording inside it",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<!DOCTYPE": "a web page: download the recording itself",
    b"<html": "a web page: download the recording itself",
    b"ffconcat": "a playlist: upload the recordings themselves",
    b"#EXTM3U": "a playlist: upload the recordings themselves",
    b"[playlist]": "a playlist: upload the recordings themselves",
}
NO_INDEX = (
    "the MP4 file is incomplete: its index (moov), written at the end, is missing or truncated, as after an interrupted"
    " recording or transfer. Upload the complete file, or repair it with a tool such as untrunc"
)
_SAMPLE_ENTRY = re.compile(rb"stsd.{8}.{4}(.{4})", re.DOTALL)
_SOUND_HANDLER = re.compile(rb"hdlr.{8}soun", re.DOTALL)
_MATROSKA_CODEC = re.compile(rb"\x86[\x80-\xff](A_[A-Z0-9_/.]{1,60})")
_WAV_FORMAT = re.compile(rb"fmt .{4}(.{2})", re.DOTALL)
_MATROSKA_DURATION = re.compile(rb"\x44\x89[\x84\x88]")
ENCRYPTED = "encrypted"


def explain_unreadable(path: Recording) -> str:
    """Explain why a file that no demuxer accepts is unusable, and what would help."""
    with path.open("rb") as file:
        start = file.read(16)
        if start[4:8] == b"ftyp":
            if _index(file) is None:
                return NO_INDEX
            return "the MP4 file is damaged"
    for magic, what in NOT_MEDIA.items():
        if start.lower().startswith(magic.lower()):
            return f"not a readable audio or video file, but {what}"
    for magic, name in MAGIC.items():
        if start.startswith(magic):
            return f"the {name} file is damaged and cannot be read"
    return "not a readable audio or video file; WAV, FLAC, MP3, MP4, Opus and most other formats are supported"


def track_codecs(path: Recording) -> list[str]:
    """Return the codec name of each audio track in an MP4, Matroska or WAV file; ``ENCRYPTED`` for an encrypted one."""
    with path.open("rb") as file:
        start = file.read(MAX_HEADER_BYTES)
        if start[4:8] == b"ftyp":
            return _sample_entries(_index(file) or b"")
    if start.startswith(MATROSKA):
        return [found.decode() for found in _MATROSKA_CODEC.findall(start)]
    if start.startswith((b"RIFF", b"RF64")) and (found := _WAV_FORMAT.search(start)):
        return [f"0x{int.from_bytes(found[1], 'little'):04x}"]
    return []


def states_length(path: Recording) -> bool:
    """Return False for fragmented MP4 and for Matroska without a duration, as browsers write them."""
    with path.open("rb") as file:
        start = file.read(MAX_HEADER_BYTES)
        if start[4:8] == b"ftyp":
            return b"mvex" not in (_index(file) or b"")
    return not start.startswith(MATROSKA) or bool(_MATROSKA_DURATION.search(start))


def _index(file: BinaryIO) -> bytes | None:
    """Return the payload of an MP4's ``moov`` box; None if it is missing or truncated."""
    offset = 0
    for _ in range(MAX_BOXES):
        file.seek(offset)
        header = file.read(16)
        if len(header) < 8:
            return None
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:], "big")
        if header[4:8] == b"moov":
            file.seek(offset + 8)
            index = file.read(MAX_INDEX_BYTES if size == 0 else max(0, min(size - 8, MAX_INDEX_BYTES)))
            return index if size == 0 or len(index) == min(size - 8, MAX_INDEX_BYTES) else None
        if size < 8 or size > MAX_OFFSET - offset:
            return None
        offset += size
    return None


def _sample_entries(index: bytes) -> list[str]:
    """Return the sample entry types of the sound tracks, in order."""
    entries = []
    for track in index.split(b"trak")[1:]:
        entry = _SAMPLE_ENTRY.search(track)
        if entry and _SOUND_HANDLER.search(track):
            kind = entry[1].decode("latin-1")
            entries.append(ENCRYPTED if kind == "enca" else kind.strip())
    return entries
