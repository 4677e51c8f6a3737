"""Child process that decodes untrusted Opus packets: ``python -m server.children.decode_opus``.

It contains the whole risk of a hostile packet: before the first one, the process gives up everything but
its standard input and output (``server/confinement.py``), and a crash affects this process alone. It
does not import numpy: a decoder takes some 12 MB of its own and starts in less than 0.1 s.

Standard input is a sequence of messages: a kind (one byte), a length (four bytes, little-endian) and
that many bytes. ``H`` is an ``OpusHead``, which begins a stream; ``P`` holds packets, each after its own
length (four bytes). Each packet is answered at once on standard output: a length (four bytes) and
interleaved s16le samples at 48 kHz; length 0 if it could not be decoded.
"""

from __future__ import annotations

import resource
import sys
from typing import Any, BinaryIO

import av
import av.error

from server.children.opus_messages import HEAD, LENGTH, MESSAGE
from server.confinement import confine

# The interpreter and codec libraries map some 200 MB; an eight-channel decoder needs less than 1 MB.
MEMORY_LIMIT_BYTES = 1024**3
# Per message: decoding a second of audio takes some milliseconds.
CPU_LIMIT_S = 20


def extend_cpu_limit() -> None:
    """Allow ``CPU_LIMIT_S`` more processor seconds: the limit is per message, since a meeting may last for hours."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_LIMIT_S, hard))


def create_decoder(head: bytes) -> Any:
    """Create a decoder for an ``OpusHead``: the reference decoder, which conceals and resets by itself."""
    decoder: Any = av.CodecContext.create("libopus", "r")
    decoder.extradata = head
    return decoder


def decode_packet(decoder: Any, packet: bytes) -> bytes:
    """Decode one packet to interleaved s16le; empty if it is undecodable."""
    try:
        frames = decoder.decode(av.Packet(packet))
        # A plane may be longer than its samples.
        return b"".join(bytes(f.planes[0])[: f.samples * f.layout.nb_channels * 2] for f in frames)
    except (av.error.FFmpegError, ValueError, MemoryError):
        return b""


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer messages until the input ends."""
    decoder = None
    while len(header := requests.read(MESSAGE.size)) == MESSAGE.size:
        kind, length = MESSAGE.unpack(header)
        body = requests.read(length)
        if len(body) < length:
            return
        extend_cpu_limit()
        if kind == HEAD:
            decoder = create_decoder(body)
            continue
        offset = 0
        while offset < length:
            (size,) = LENGTH.unpack_from(body, offset)
            offset += LENGTH.size
            pcm = decode_packet(decoder, body[offset : offset + size])
            offset += size
            # Flush, so that earlier answers survive a packet that crashes the decoder.
            answers.write(LENGTH.pack(len(pcm)) + pcm)
            answers.flush()


def main() -> None:
    """Run the decoder on standard input and output, under resource limits."""
    confine(memory_bytes=MEMORY_LIMIT_BYTES, open_files=8, file_bytes=0)
    av.logging.set_level(av.logging.PANIC)
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
