"""Redaction of audio: silence where something was said that is not in the text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

BYTES_PER_SAMPLE = 2


def silence_chunk(chunk: bytes, first_sample: int, ranges_ms: Sequence[Sequence[int]], rate_hz: int) -> bytes:
    """Return a chunk of mono s16le samples with silence in the ranges.

    Args:
        chunk: whole samples.
        first_sample: position of its first sample in the meeting.
        ranges_ms: [start, end) of each, milliseconds of the meeting; partial samples are silenced.
        rate_hz: samples a second.
    """
    samples = len(chunk) // BYTES_PER_SAMPLE
    silenced: bytearray | None = None
    for start_ms, end_ms in ranges_ms:
        start = max(0, start_ms * rate_hz // 1000 - first_sample)
        end = min(samples, -(-end_ms * rate_hz // 1000) - first_sample)
        if start < end:
            silenced = bytearray(chunk) if silenced is None else silenced
            silenced[start * BYTES_PER_SAMPLE : end * BYTES_PER_SAMPLE] = bytes((end - start) * BYTES_PER_SAMPLE)
    return chunk if silenced is None else bytes(silenced)


async def silence_ranges(
    pcm: AsyncIterator[bytes], ranges_ms: Sequence[Sequence[int]], rate_hz: int, start_us: int = 0
) -> AsyncGenerator[bytes, None]:
    """Yield decoded audio, mono s16le, with silence in the ranges: what is handed out of a redacted meeting.

    Args:
        pcm: chunks of any size.
        ranges_ms: [start, end) of each, milliseconds of the meeting, as stored with it.
        rate_hz: samples a second.
        start_us: where the track begins in the meeting, microseconds.
    """
    position, rest = start_us * rate_hz // 1_000_000, b""
    async for data in pcm:
        data = rest + data
        whole = len(data) - len(data) % BYTES_PER_SAMPLE
        chunk, rest = data[:whole], data[whole:]
        if chunk:
            yield silence_chunk(chunk, position, ranges_ms, rate_hz)
            position += whole // BYTES_PER_SAMPLE
    if rest:
        yield rest
