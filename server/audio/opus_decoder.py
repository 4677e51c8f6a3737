"""Decoding of untrusted Opus packets in a child process, from the server's side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from server import sandbox
from server.audio.opus_packets import Packet, StreamHead
from server.children import HEAD, LENGTH, MESSAGE, PACKETS

# A crashing packet costs two children, so the number of restarts is limited. Since children also die for other reasons
# and meetings last hours, a death is forgotten after this much further audio.
MAX_RESTARTS = 5
FORGOTTEN_AFTER_SAMPLES = 30 * 48_000
# Packets per message: enough to hide the round trip (0.1 ms), and at most some 0.4 MB of samples.
BATCH_PACKETS = 32
# For a stopped child only; a running one is limited by processor time. A message takes milliseconds.
STALL_TIMEOUT_S = 120.0


class ProtocolViolation(Exception):
    """The child's answer violates the protocol."""


class OpusChild:
    """The decoder of one track. Started by the first packet; calls must not overlap."""

    def __init__(self) -> None:
        self.damaged = False
        """Whether any packet could not be decoded and was replaced by silence."""
        self._child: sandbox.Child | None = None
        self._head: StreamHead | None = None  # as the child knows it
        self._last_batch: tuple[StreamHead | None, list[Packet]] = (None, [])
        """The decodable part of the previous batch and its stream: restores a new child's decoder state."""
        self._deaths = 0
        self._samples_since_death = 0

    async def decode(self, head: StreamHead, packets: Sequence[Packet]) -> list[bytes]:
        """Decode each packet of ``head``'s stream to interleaved s16le at 48 kHz.

        Each result has the length that its packet states; a packet that is undecodable or kills two decoders becomes
        silence. Raises only CancelledError, after which the decoder must not be used.
        """
        pcm: list[bytes] = []
        for offset in range(0, len(packets), BATCH_PACKETS):
            batch = packets[offset : offset + BATCH_PACKETS]
            answers = await self._decode_batch(head, batch)
            self._last_batch = (head, [packet for packet, answer in zip(batch, answers, strict=True) if answer])
            self._forget_deaths(batch)
            for packet, answer in zip(batch, answers, strict=True):
                self.damaged |= not answer
                pcm.append(answer or bytes(_size(head, packet)))
        return pcm

    async def close(self) -> None:
        """End the child, if it runs."""
        if self._child is not None:
            await self._child.end()
            self._child = self._head = None

    async def _decode_batch(self, head: StreamHead, batch: Sequence[Packet]) -> list[bytes]:
        """Return the samples of each packet; empty for an undecodable one."""
        answers = await self._request(head, batch)
        if len(answers) < len(batch):
            # A child may die through no packet's fault: retry once per batch with a new one.
            answers += (await self._request(head, batch))[len(answers) :]
        while len(answers) < len(batch):
            answers.append(b"")  # the packet that killed both
            answers += await self._request(head, batch[len(answers) :])
        return answers

    async def _request(self, head: StreamHead, batch: Sequence[Packet]) -> list[bytes]:
        """Return the child's answer to each packet; fewer if it died."""
        if self._child is not None and not self._child.answers:  # died outside a call
            await self._handle_death()
        if self._deaths > MAX_RESTARTS:
            return [b""] * len(batch)
        answers: list[bytes] = []
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                sent = [*self._priming_packets(head), *batch]
                if self._child is None:
                    self._child = await sandbox.start("server.children.decode_opus", with_stdin=True)
                self._child.write(self._message(head, sent))
                for index, packet in enumerate(sent, len(batch) - len(sent)):
                    (size,) = LENGTH.unpack(await self._child.stdout.readexactly(LENGTH.size))
                    if size not in (0, _size(head, packet)):
                        raise ProtocolViolation
                    answer = await self._child.stdout.readexactly(size)
                    if index >= 0:
                        answers.append(answer)
        except (OSError, EOFError, TimeoutError, ProtocolViolation):
            await self._handle_death()
        except asyncio.CancelledError:
            await self.close()
            raise
        return answers

    def _priming_packets(self, head: StreamHead) -> Sequence[Packet]:
        """Return the packets to prime a new child with: a decoder converges after 80 ms of preceding audio."""
        last_head, packets = self._last_batch
        return packets if self._child is None and last_head is head else ()

    async def _handle_death(self) -> None:
        self._deaths += 1
        self._samples_since_death = 0
        await self.close()

    def _forget_deaths(self, batch: Sequence[Packet]) -> None:
        self._samples_since_death += sum(packet.samples for packet in batch)
        if self._samples_since_death >= FORGOTTEN_AFTER_SAMPLES:
            self._samples_since_death = 0
            self._deaths = max(0, self._deaths - 1)

    def _message(self, head: StreamHead, batch: Sequence[Packet]) -> bytes:
        """Encode the packets, after the head if the child lacks it."""
        records = b"".join(LENGTH.pack(len(packet.data)) + packet.data for packet in batch)
        message = MESSAGE.pack(PACKETS, len(records)) + records
        if head is not self._head:
            self._head = head
            message = MESSAGE.pack(HEAD, len(head.data)) + head.data + message
        return message


def _size(head: StreamHead, packet: Packet) -> int:
    """Return the size of the packet's samples, bytes."""
    return packet.samples * head.channels * 2
