"""Audio as it was received, with the silence that stands for pauses, and without what a clock counted too much."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence

from server.audio import OPUS_RATE_HZ, Edit

# The shortest Opus frame, samples at 48 kHz; what is shorter waits for the next edit.
_FRAME = OPUS_RATE_HZ // 400
# A CELT frame that states silence.
_SILENT = b"\xff\xfe"
# Codes of the configurations with frames of 2.5, 5, 10 and 20 ms, full band (RFC 6716, table 2), and their samples.
_CONFIGURATIONS = ((28, _FRAME), (29, 2 * _FRAME), (30, 4 * _FRAME), (31, 8 * _FRAME))
_LONGEST = 48 * _FRAME
_STEREO = 4


async def edited_samples(
    read: AsyncIterator[bytes], edits: Iterable[Edit], silence: bytes, piece_bytes: int
) -> AsyncGenerator[bytes, None]:
    """Yield PCM or mu-law with its edits.

    Args:
        read: the recorded samples, in chunks of any size.
        edits: those before the end of what is recorded.
        silence: one silent sample of all channels.
        piece_bytes: the most silence to yield at once.
    """
    waiting = deque((edit.position * len(silence), edit.silence * len(silence)) for edit in edits)
    position = left_out = 0
    most = piece_bytes // len(silence) * len(silence)
    async for data in read:
        while data:
            if waiting and waiting[0][0] == position:
                _, fill = waiting.popleft()
                left_out += max(0, -fill)
                while fill > 0:
                    size = min(fill, most)
                    yield silence * (size // len(silence))
                    fill -= size
                continue
            size = min(len(data), waiting[0][0] - position if waiting else len(data), left_out or len(data))
            if left_out:
                left_out -= size
            else:
                yield data[:size]
            position += size
            data = data[size:]


def edited_packets(packets: Iterator[tuple[bytes, int]], edits: Sequence[Edit]) -> Iterator[tuple[bytes, int]]:
    """Yield Opus packets with their edits, as exactly as whole packets can be: within one of them.

    Args:
        packets: the recorded ones, each with its samples at 48 kHz.
        edits: those before the end of what is recorded.
    """
    waiting = deque(edits)
    position = missing = 0
    for packet, samples in packets:
        while waiting and waiting[0].position <= position:
            missing += waiting.popleft().silence
        position += samples
        if missing <= -samples:
            missing += samples
            continue
        while missing >= _FRAME:
            silent, length = _silent_packet(missing, packet[0] & _STEREO)
            yield silent, length
            missing -= length
        yield packet, samples


def _silent_packet(most: int, stereo: int) -> tuple[bytes, int]:
    """Return the longest silent packet of at most so many samples, and its samples."""
    if most >= _LONGEST:
        # Six frames of 20 ms, all of one size.
        return bytes([31 << 3 | stereo | 3, 6]) + 6 * _SILENT, _LONGEST
    configuration, samples = max((c for c in _CONFIGURATIONS if c[1] <= most), key=lambda c: c[1])
    return bytes([configuration << 3 | stereo]) + _SILENT, samples
