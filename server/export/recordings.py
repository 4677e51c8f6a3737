"""Audio files as they are put into an archive: as they are, as players read them, or with what is redacted silent."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from server.audio import (
    Edit,
    Encoding,
    TrackFormat,
    edited_length,
    open_file,
    opus_head,
    opus_records,
    read_edits,
    read_log_positions,
)
from server.export.edited_audio import edited_packets, edited_samples
from server.media import RATE_HZ, checksum
from server.redaction import silence_ranges

READ_BYTES = 256 * 1024
# Format tags of WAV.
_WAV_FORMATS = {Encoding.PCM_S16LE: (1, 16), Encoding.PCM_F32LE: (3, 32), Encoding.MULAW: (7, 8)}
# Suffixes of what is handed out as it was received.
_CONTAINERS = {Encoding.OGG_OPUS: ".ogg", Encoding.WEBM_OPUS: ".webm"}
# Sizes in WAV have 32 bits; players read one that is too long to its end.
_MAX_WAV = 0xFFFFFFFF
_OGG_HEADER = struct.Struct("<4sBBqIIIB")
_BEGINNING, _END = 2, 4
VENDOR = b"Meetra"
# Suffixes of common types; others have none.
SUFFIXES = {
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/wave": ".wav",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/webm": ".webm",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
}


DECODED = TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 1)


class RecordingChanged(Exception):
    """A file became shorter while it was read."""


@dataclass(slots=True)
class AudioFile:
    """A file of audio that is open; use as a context manager."""

    suffix: str
    size: int
    """Of all chunks together, bytes."""
    file: BinaryIO
    head: bytes
    """What comes before the bytes of the file."""
    read: int
    """How many bytes of the file are used."""
    packets: bool = False
    """Whether the file holds Opus packets, which become pages of Ogg."""
    silent_ms: Sequence[Sequence[int]] = ()
    """[start, end) of each silent range, milliseconds of the meeting; for s16le mono at 16 kHz."""
    start_us: int = 0
    """Where the audio begins in the meeting, microseconds."""
    edits: Sequence[Edit] = ()
    """Of PCM, mu-law and Opus packets."""
    silence: bytes = b""
    """One silent sample of all channels; of PCM and mu-law."""

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the content, read in threads. Raises RecordingChanged."""
        if self.head:
            yield self.head
        if self.packets:
            pages = _pages(self.file, self.read, self.edits)
            while data := await asyncio.to_thread(_gather, pages):
                yield data
            return
        if self.edits:
            async with aclosing(self._read()) as read:
                async for data in edited_samples(read, self.edits, self.silence, READ_BYTES):
                    yield data
            return
        if not self.silent_ms:
            async for data in self._read():
                yield data
            return
        async with (
            aclosing(self._read()) as read,
            aclosing(silence_ranges(read, self.silent_ms, RATE_HZ, self.start_us)) as silenced,
        ):
            async for data in silenced:
                yield data

    async def _read(self) -> AsyncGenerator[bytes, None]:
        left = self.read
        while left:
            data = await asyncio.to_thread(self.file.read, min(READ_BYTES, left))
            if not data:
                raise RecordingChanged(f"{left} bytes are missing")
            left -= len(data)
            yield data


def uploaded_recording(file: BinaryIO, media_type: str) -> AudioFile:
    """Return an open recording as it was uploaded. Blocking."""
    size = os.fstat(file.fileno()).st_size
    return AudioFile(SUFFIXES.get(media_type.split(";")[0].strip().lower(), ""), size, file, b"", size)


def open_track(path: Path, format_: TrackFormat) -> AudioFile | None:
    """Open the log of a live source as a file that players read, with its pauses; None if it is not there. Blocking."""
    file = open_file(path)
    if file is None:
        return None
    try:
        recorded, usable = read_log_positions(format_, file)
        edits = read_edits(path, recorded)
        file.seek(0)
        if format_.encoding in _CONTAINERS:
            return AudioFile(_CONTAINERS[format_.encoding], usable, file, b"", usable)
        if format_.encoding is Encoding.OPUS:
            size = sum(len(page) for page in _pages(file, usable, edits))
            file.seek(0)
            return AudioFile(".ogg", size, file, b"", usable, packets=True, edits=edits)
        assert format_.position_bytes is not None
        size = edited_length(recorded, edits) * format_.position_bytes
        head = _wav_head(format_, size)
        silence = (b"\xff" if format_.encoding is Encoding.MULAW else b"\0") * format_.position_bytes
        return AudioFile(".wav", len(head) + size, file, head, usable, edits=edits, silence=silence)
    except BaseException:
        file.close()
        raise


def redacted_wav(file: BinaryIO, silent_ms: Sequence[Sequence[int]], start_us: int = 0) -> AudioFile:
    """Return decoded audio as a WAV file with silence in the ranges. Blocking.

    Args:
        file: s16le mono at 16 kHz, open for reading.
        silent_ms: [start, end) of each range, milliseconds of the meeting.
        start_us: where the audio begins in the meeting, microseconds.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = _wav_head(DECODED, size)
    return AudioFile(".wav", len(head) + size, file, head, size, silent_ms=silent_ms, start_us=start_us)


def _wav_head(format_: TrackFormat, size: int) -> bytes:
    tag, bits = _WAV_FORMATS[format_.encoding]
    frame = format_.channels * bits // 8
    described = struct.pack(
        "<4sIHHIIHHH",
        *(b"fmt ", 18, tag, format_.channels, format_.sample_rate_hz, format_.sample_rate_hz * frame, frame, bits, 0),
    )
    riff = min(4 + len(described) + 8 + size, _MAX_WAV)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + described + struct.pack("<4sI", b"data", min(size, _MAX_WAV))


def _pages(file: BinaryIO, usable: int, edits: Sequence[Edit]) -> Iterator[bytes]:
    """Yield the pages of an Ogg Opus stream (RFC 7845) with the packets of a log, one a page."""
    packets = edited_packets(opus_records(file, usable), edits)
    packet, samples = next(packets, (b"", 0))
    channels = 2 if packet and packet[0] & 4 else 1
    yield _page(opus_head(channels), 0, 0, _BEGINNING)
    yield _page(b"OpusTags" + struct.pack("<I", len(VENDOR)) + VENDOR + bytes(4), 0, 1, 0)
    position, number = 0, 2
    while packet:
        following, following_samples = next(packets, (b"", 0))
        position += samples
        yield _page(packet, position, number, 0 if following else _END)
        packet, samples, number = following, following_samples, number + 1


def _page(packet: bytes, position: int, number: int, flags: int) -> bytes:
    # A packet that fills its last segment is followed by an empty one. Opus packets fit into one page.
    lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    page = _OGG_HEADER.pack(b"OggS", 0, flags, position, 1, number, 0, len(lacing)) + lacing + packet
    return page[:22] + checksum(page).to_bytes(4, "little") + page[26:]


def _gather(pages: Iterator[bytes]) -> bytes:
    gathered, size = [], 0
    for page in pages:
        gathered.append(page)
        size += len(page)
        if size >= READ_BYTES:
            break
    return b"".join(gathered)
