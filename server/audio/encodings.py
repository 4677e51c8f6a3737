"""The encodings of live tracks: positions, chunk validation, and the log format."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

OPUS_RATE_HZ = 48_000
# RFC 6716: packets are at most 120 ms (R5), frames at most 1275 bytes (R2).
MAX_PACKET_SAMPLES = OPUS_RATE_HZ * 120 // 1000
MAX_FRAME_BYTES = 1275
# In the log, a packet is preceded by its length in two bytes.
RECORD_HEADER_BYTES = 2
MAX_RECORD_BYTES = 0xFFFF
# In a batch, a packet is preceded by its length in four bytes, big-endian.
BATCH_HEADER_BYTES = 4
MAX_BATCH_PACKETS = 500


class Encoding(StrEnum):
    """The encodings of ``AudioEncoding`` in live.proto."""

    PCM_S16LE = "pcm_s16le"
    PCM_F32LE = "pcm_f32le"
    MULAW = "mulaw"
    OPUS = "opus"
    OGG_OPUS = "ogg_opus"
    WEBM_OPUS = "webm_opus"


CONTAINERS = frozenset({Encoding.OGG_OPUS, Encoding.WEBM_OPUS})
"""Encodings that are cut anywhere, and whose positions are bytes."""


# Bytes per sample and channel.
_SAMPLE_BYTES = {Encoding.PCM_S16LE: 2, Encoding.PCM_F32LE: 4, Encoding.MULAW: 1}


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """A validated audio format of a track; the Opus encodings have 48000 Hz.

    ``channels`` (1..8, interleaved) does not apply to Opus, whose stream states its own.
    """

    encoding: Encoding
    sample_rate_hz: int
    channels: int

    @property
    def position_bytes(self) -> int | None:
        """Bytes per position; None for Opus packets, whose size varies."""
        if self.encoding is Encoding.OPUS:
            return None
        if self.encoding in CONTAINERS:
            return 1
        return _SAMPLE_BYTES[self.encoding] * self.channels

    @property
    def positions_per_second(self) -> int | None:
        """Positions per second of audio; None for Ogg and WebM, whose positions are bytes."""
        if self.encoding in CONTAINERS:
            return None
        return OPUS_RATE_HZ if self.encoding is Encoding.OPUS else self.sample_rate_hz


class InvalidChunk(ValueError):
    """An invalid chunk; the message names the field and the fix."""


def chunk_positions(format: TrackFormat, data: bytes) -> int:
    """Return how many positions a chunk spans: samples, samples at 48 kHz (Opus packets) or bytes (Ogg).

    Raises:
        InvalidChunk: ``data`` is empty, not a whole number of samples, or not an Opus packet.
    """
    if not data:
        raise InvalidChunk("audio.data: empty; send at least one sample")
    size = format.position_bytes
    if size is None:
        return packet_samples(data)
    if len(data) % size:
        raise InvalidChunk(
            f"audio.data: {len(data)} bytes are not a whole number of samples of {size} bytes; send whole samples"
        )
    return len(data) // size


def split_batch(format: TrackFormat, data: bytes) -> list[bytes]:
    """Return the packets of a batch, each preceded by its length: four bytes, big-endian.

    Raises:
        InvalidChunk: the track does not carry raw Opus packets, ``data`` is empty, or the lengths do not fit it.
    """
    if format.encoding is not Encoding.OPUS:
        raise InvalidChunk("audio.length_prefixed: only for AUDIO_ENCODING_OPUS; omit it")
    packets: list[bytes] = []
    offset = 0
    while offset < len(data):
        if len(packets) == MAX_BATCH_PACKETS:
            raise InvalidChunk(f"audio.data: more than {MAX_BATCH_PACKETS} packets; send fewer in a chunk")
        begin = offset + BATCH_HEADER_BYTES
        end = begin + int.from_bytes(data[offset:begin], "big")
        if max(begin, end) > len(data):
            raise InvalidChunk(
                f"audio.data: packet {len(packets) + 1} of the batch exceeds it; precede each packet with its length"
                " in bytes, 4 bytes big-endian"
            )
        packets.append(data[begin:end])
        offset = end
    if not packets:
        raise InvalidChunk("audio.data: empty; send at least one packet")
    return packets


def encode_record(format: TrackFormat, data: bytes) -> bytes:
    """Return the bytes to log for a chunk; an Opus packet is preceded by its length, two bytes little-endian."""
    if format.encoding is not Encoding.OPUS:
        return data
    return len(data).to_bytes(RECORD_HEADER_BYTES, "little") + data


def read_log_positions(format: TrackFormat, raw: bytes | bytearray | memoryview | BinaryIO) -> tuple[int, int]:
    """Return ``(positions, usable bytes)`` of a log that a crash may have truncated.

    A trailing partial sample or record does not count, nor anything after an invalid Opus packet (a file system may
    leave zeros at the end): truncate the log there. A log with fixed-size positions is not read; one of Opus packets is
    read once, packet by packet. The file's position afterwards is undefined.
    """
    file = io.BytesIO(raw) if isinstance(raw, bytes | bytearray | memoryview) else raw
    size = format.position_bytes
    if size is not None:
        count = file.seek(0, os.SEEK_END) // size
        return count, count * size
    file.seek(0)
    samples = usable_bytes = 0
    while len(header := file.read(RECORD_HEADER_BYTES)) == RECORD_HEADER_BYTES:
        length = int.from_bytes(header, "little")
        packet = file.read(length)
        if len(packet) < length:
            break
        try:
            samples += packet_samples(packet)
        except InvalidChunk:
            break
        usable_bytes += RECORD_HEADER_BYTES + length
    return samples, usable_bytes


def opus_records(file: BinaryIO, usable_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Yield the Opus packets of a log from its start, with their lengths in samples at 48 kHz.

    Args:
        usable_bytes: as ``read_log_positions`` returned it.
    """
    file.seek(0)
    while file.tell() < usable_bytes:
        packet = file.read(int.from_bytes(file.read(RECORD_HEADER_BYTES), "little"))
        yield packet, packet_samples(packet)


def packet_samples(packet: bytes) -> int:
    """Return the length of an Opus packet in samples at 48 kHz, 120..5760 (2.5..120 ms).

    Raises:
        InvalidChunk: the packet violates one of the rules R1 to R7 of RFC 6716, section 3.4.
    """
    if len(packet) > MAX_RECORD_BYTES:
        raise _invalid_packet(f"{len(packet)} bytes, more than {MAX_RECORD_BYTES}")
    samples = stated_samples(packet)
    code = packet[0] & 3
    sizes: tuple[int, ...]
    if code == 3:
        _check_frames(packet)
        return samples
    if code == 2:
        first, begin = _frame_length(packet, 1)
        sizes = (first, len(packet) - begin - first)
    elif code == 1:
        if len(packet) % 2 == 0:
            raise _invalid_packet("its bytes do not divide into two equal frames")
        sizes = ((len(packet) - 1) // 2,)
    else:
        sizes = (len(packet) - 1,)
    _check_sizes(sizes)
    return samples


def stated_samples(packet: bytes) -> int:
    """Return the packet length stated by its first two bytes, in samples at 48 kHz, 120..5760.

    RFC 6716, table 2: configurations 0..11 are SILK, 12..15 hybrid, 16..31 CELT.

    Raises:
        InvalidChunk: the bytes are missing, or state zero or more than 120 ms.
    """
    if not packet:
        raise _invalid_packet("it is empty")
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        tenths_ms = (100, 200, 400, 600)[configuration % 4]
    elif configuration < 16:
        tenths_ms = (100, 200)[configuration % 2]
    else:
        tenths_ms = (25, 50, 100, 200)[configuration % 4]
    frames = (1, 2, 2, 0)[code]
    if code == 3:
        if len(packet) < 2:
            raise _invalid_packet("its frame count is missing")
        frames = packet[1] & 0x3F
    samples = frames * tenths_ms * OPUS_RATE_HZ // 10_000
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise _invalid_packet(f"{frames} frames of {tenths_ms / 10:g} ms are not within 2.5 to 120 ms")
    return samples


def _check_frames(packet: bytes) -> None:
    """Check the frame sizes of a code 3 packet: any number of frames, with or without padding."""
    frames, variable, padded = packet[1] & 0x3F, packet[1] & 0x80, packet[1] & 0x40
    offset, end = 2, len(packet)
    while padded:
        if offset >= len(packet):
            raise _invalid_packet("its padding is truncated")
        # 255 means 254 bytes of padding, and another length byte (section 3.2.5).
        end -= min(packet[offset], 254)
        padded = packet[offset] == 255
        offset += 1
    if not variable:
        if end < offset or (end - offset) % frames:
            raise _invalid_packet(f"its bytes do not divide into {frames} equal frames")
        _check_sizes(((end - offset) // frames,))
        return
    sizes = []
    for _ in range(frames - 1):
        length, offset = _frame_length(packet, offset)
        sizes.append(length)
    _check_sizes((*sizes, end - offset - sum(sizes)))


def _frame_length(packet: bytes, offset: int) -> tuple[int, int]:
    """Return a frame's length, coded in one or two bytes (section 3.2.1), and the index after it."""
    if offset < len(packet) and packet[offset] < 252:
        return packet[offset], offset + 1
    if offset + 1 < len(packet):
        return packet[offset] + 4 * packet[offset + 1], offset + 2
    raise _invalid_packet("a frame length is truncated")


def _check_sizes(sizes: tuple[int, ...]) -> None:
    if min(sizes) < 0:
        raise _invalid_packet("its frames exceed the packet")
    if max(sizes) > MAX_FRAME_BYTES:
        raise _invalid_packet(f"a frame of {max(sizes)} bytes, more than {MAX_FRAME_BYTES}")


def _invalid_packet(why: str) -> InvalidChunk:
    return InvalidChunk(f"audio.data: not a valid Opus packet ({why}); send one whole packet (RFC 6716) per chunk")
