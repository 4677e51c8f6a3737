"""Opus packets decoded in a child process, seen from the server: whatever a packet does, it does to the child."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from server.live.opus_packets import Packet, StreamHead
from server.live.opus_process import HEAD, LENGTH, MESSAGE, PACKETS

# A packet that kills costs one child; somebody who sends more of them is not worth more.
MAX_RESTARTS = 5
# Packets of one message: enough to hide the way there and back (0.1 ms), and at most some 0.4 MB of samples.
BATCH_PACKETS = 32
# The child's own limit is processor time; this is for one that was stopped. A message takes milliseconds.
STALL_TIMEOUT_S = 120.0
# Nothing of the server's secrets is the decoder's business.
PASSED_ON = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")


class OutOfStep(Exception):
    """The child answers what no decoder would."""


class OpusChild:
    """The decoder of one track. It starts with the first packet; each call waits for the one before."""

    def __init__(self) -> None:
        self.damaged = False
        """True when a packet could not be decoded and is silence, or the decoder lost what it knew."""
        self._process: asyncio.subprocess.Process | None = None
        self._head: StreamHead | None = None  # that the process knows
        self._deaths = 0

    async def decode(self, head: StreamHead, packets: Sequence[Packet]) -> list[bytes]:
        """Each packet of the stream of ``head`` as interleaved s16le at 48 kHz.

        As long as the packet says in any case: one that cannot be decoded, or kills the decoder,
        is silence. Does not raise, but for cancellation; the decoder is of no more use then.
        """
        pcm: list[bytes] = []
        while len(pcm) < len(packets):
            batch = packets[len(pcm) : len(pcm) + BATCH_PACKETS]
            answers = await self._answers(head, batch)
            if len(answers) < len(batch):  # it died of the next
                answers.append(b"")
            for packet, answer in zip(batch, answers, strict=False):
                self.damaged |= not answer
                pcm.append(answer or bytes(_size(head, packet)))
        return pcm

    async def close(self) -> None:
        """Ends the process, if it runs."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            # Reads what is left as well: a pipe that is full would keep the process from being reaped.
            await self._process.communicate()
            self._process = self._head = None

    async def _answers(self, head: StreamHead, batch: Sequence[Packet]) -> list[bytes]:
        """What the child says to each packet; fewer if it died."""
        answers: list[bytes] = []
        if self._process is not None and self._process.returncode is not None:  # it died of nothing of ours
            await self._died()
        if self._deaths > MAX_RESTARTS:
            return [b""] * len(batch)
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                process = await self._running()
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(self._message(head, batch))
                # Not `drain`: a child that died has answered some packets all the same.
                for packet in batch:
                    (size,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                    if size not in (0, _size(head, packet)):
                        raise OutOfStep
                    answers.append(await process.stdout.readexactly(size))
        except (OSError, EOFError, TimeoutError, OutOfStep):
            await self._died()
        except asyncio.CancelledError:
            await self.close()
            raise
        return answers

    async def _died(self) -> None:
        self._deaths += 1
        self.damaged = True
        await self.close()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "server.live.opus_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env={key: os.environ[key] for key in PASSED_ON if key in os.environ},
            )
        return self._process

    def _message(self, head: StreamHead, batch: Sequence[Packet]) -> bytes:
        """The packets, after the head where the child does not know it."""
        records = b"".join(LENGTH.pack(len(packet.data)) + packet.data for packet in batch)
        message = MESSAGE.pack(PACKETS, len(records)) + records
        if head is not self._head:
            self._head = head
            message = MESSAGE.pack(HEAD, len(head.data)) + head.data + message
        return message


def _size(head: StreamHead, packet: Packet) -> int:
    """Bytes of the packet's samples."""
    return packet.samples * head.channels * 2
