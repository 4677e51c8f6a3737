"""Opus packets decoded in a child process, seen from the server: whatever a packet does, it does to the child."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from server import sandbox
from server.audio.opus_packets import Packet, StreamHead
from server.children import HEAD, LENGTH, MESSAGE, PACKETS

# A packet that kills costs two children; somebody who sends more of them is not worth more. But children die of other
# things too, and a meeting goes on for hours: a death is forgotten after so much more audio.
MAX_RESTARTS = 5
FORGOTTEN_AFTER_SAMPLES = 30 * 48_000
# Packets of one message: enough to hide the way there and back (0.1 ms), and at most some 0.4 MB of samples.
BATCH_PACKETS = 32
# The child's own limit is processor time; this is for one that was stopped. A message takes milliseconds.
STALL_TIMEOUT_S = 120.0


class OutOfStep(Exception):
    """The child answers what no decoder would."""


class OpusChild:
    """The decoder of one track. It starts with the first packet; each call waits for the one before."""

    def __init__(self) -> None:
        self.damaged = False
        """True when a packet could not be decoded and is silence."""
        self._child: sandbox.Child | None = None
        self._head: StreamHead | None = None  # that the child knows
        self._before: tuple[StreamHead | None, list[Packet]] = (None, [])
        """The batch before, of its stream, as far as it could be decoded: what a decoder knows it knows from there."""
        self._deaths = 0
        self._samples_since = 0

    async def decode(self, head: StreamHead, packets: Sequence[Packet]) -> list[bytes]:
        """Each packet of the stream of ``head`` as interleaved s16le at 48 kHz.

        As long as the packet says in any case: one that cannot be decoded, or kills two decoders,
        is silence. Does not raise, but for cancellation; the decoder is of no more use then.
        """
        pcm: list[bytes] = []
        for at in range(0, len(packets), BATCH_PACKETS):
            batch = packets[at : at + BATCH_PACKETS]
            answers = await self._decoded(head, batch)
            self._before = (head, [packet for packet, answer in zip(batch, answers, strict=True) if answer])
            self._forget_deaths(batch)
            for packet, answer in zip(batch, answers, strict=True):
                self.damaged |= not answer
                pcm.append(answer or bytes(_size(head, packet)))
        return pcm

    async def close(self) -> None:
        """Ends the child, if it runs."""
        if self._child is not None:
            await self._child.end()
            self._child = self._head = None

    async def _decoded(self, head: StreamHead, batch: Sequence[Packet]) -> list[bytes]:
        """The samples of each packet; nothing for one that cannot be decoded."""
        answers = await self._answers(head, batch)
        if len(answers) < len(batch):
            # A child may die of what is no packet's fault: once a batch, another does it all again.
            answers += (await self._answers(head, batch))[len(answers) :]
        while len(answers) < len(batch):
            answers.append(b"")  # the one that they died of
            answers += await self._answers(head, batch[len(answers) :])
        return answers

    async def _answers(self, head: StreamHead, batch: Sequence[Packet]) -> list[bytes]:
        """What the child says to each packet; fewer if it died."""
        if self._child is not None and not self._child.running:  # it died of nothing of ours
            await self._died()
        if self._deaths > MAX_RESTARTS:
            return [b""] * len(batch)
        answers: list[bytes] = []
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                told = [*self._lead_in(head), *batch]
                if self._child is None:
                    self._child = await sandbox.start("server.children.decode_opus", listens=True)
                self._child.tell(self._message(head, told))
                for place, packet in enumerate(told, len(batch) - len(told)):
                    (size,) = LENGTH.unpack(await self._child.said.readexactly(LENGTH.size))
                    if size not in (0, _size(head, packet)):
                        raise OutOfStep
                    answer = await self._child.said.readexactly(size)
                    if place >= 0:
                        answers.append(answer)
        except (OSError, EOFError, TimeoutError, OutOfStep):
            await self._died()
        except asyncio.CancelledError:
            await self.close()
            raise
        return answers

    def _lead_in(self, head: StreamHead) -> Sequence[Packet]:
        """What a new child has to hear first: a decoder needs 80 ms before a packet to say what another would."""
        heard, packets = self._before
        return packets if self._child is None and heard is head else ()

    async def _died(self) -> None:
        self._deaths += 1
        self._samples_since = 0
        await self.close()

    def _forget_deaths(self, batch: Sequence[Packet]) -> None:
        self._samples_since += sum(packet.samples for packet in batch)
        if self._samples_since >= FORGOTTEN_AFTER_SAMPLES:
            self._samples_since = 0
            self._deaths = max(0, self._deaths - 1)

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
