"""Embeddings under way: used in the order of submission, and never after the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.diarization import EncoderWindow
from inference.models import Samples
from inference.speakers.pending_embeddings import PendingEmbeddings


class Encoding:
    """An encoder whose calls end when the test says so, and the embeddings that were used."""

    def __init__(self) -> None:
        self.calls: list[asyncio.Future[NDArray[np.float32]]] = []
        self.used: list[tuple[list[int], list[float], bool]] = []
        self.done = 0
        self.pending = PendingEmbeddings(self._encode, self._use, self._count)

    def submit(self, *segments: int, provisional: bool = False) -> None:
        windows = [EncoderWindow(0.0, 1.0, segment) for segment in segments]
        samples = [np.full(4, segment, np.float32) for segment in segments]
        self.pending.submit(windows, samples, provisional=provisional)

    def end(self, call: int, value: float) -> None:
        self.calls[call].set_result(np.full((1, 1), value, np.float32))

    async def _encode(self, samples: Sequence[Samples]) -> NDArray[np.float32]:
        call: asyncio.Future[NDArray[np.float32]] = asyncio.get_running_loop().create_future()
        self.calls.append(call)
        return await call

    def _use(self, windows: Sequence[EncoderWindow], vectors: NDArray[np.float32], provisional: bool) -> None:
        self.used.append(([window.segment for window in windows], vectors.ravel().tolist(), provisional))

    def _count(self) -> None:
        self.done += 1


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_embeddings_are_used_in_the_order_of_submission() -> None:
    encoding = Encoding()
    encoding.submit(0, provisional=True)
    encoding.submit(0, 1)
    await _settle()
    encoding.end(1, 2.0)
    await _settle()
    encoding.pending.use_done()
    assert (encoding.used, encoding.done) == ([], 1), "the first is still under way"
    assert encoding.pending.segments == {0, 1}
    encoding.end(0, 1.0)
    await encoding.pending.wait()
    assert encoding.used == [([0], [1.0], True), ([0, 1], [2.0], False)]
    assert encoding.pending.segments == frozenset()


async def test_waiting_leaves_as_many_under_way_as_allowed() -> None:
    encoding = Encoding()
    encoding.submit(0)
    encoding.submit(1)
    waiting = asyncio.create_task(encoding.pending.wait(at_most=1))
    await _settle()
    assert not waiting.done()
    encoding.end(0, 1.0)
    await waiting
    assert encoding.pending.segments == {1}
    await encoding.pending.close()


async def test_an_error_of_the_encoder_reaches_the_session() -> None:
    encoding = Encoding()
    encoding.submit(0)
    await _settle()
    encoding.calls[0].set_exception(RuntimeError("no memory"))
    with pytest.raises(RuntimeError, match="no memory"):
        await encoding.pending.wait()


async def test_closing_cancels_what_is_under_way() -> None:
    encoding = Encoding()
    encoding.submit(0)
    await _settle()
    await encoding.pending.close()
    await encoding.pending.close()
    assert encoding.calls[0].cancelled()
    assert (encoding.used, encoding.pending.segments) == ([], frozenset())
