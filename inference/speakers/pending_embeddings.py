"""Embeddings that a session has submitted and not used yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.diarization import EncoderWindow
from inference.models import Samples


@dataclass(frozen=True, slots=True)
class _Batch:
    windows: Sequence[EncoderWindow]
    vectors: asyncio.Task[NDArray[np.float32]]
    provisional: bool


class PendingEmbeddings:
    """Submits windows to the speaker encoder and hands their embeddings on in the order of submission.

    A session processes the next block of audio meanwhile, so that a queue at the encoder delays neither words nor the
    ends of turns.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[Samples]], Coroutine[Any, Any, NDArray[np.float32]]],
        use: Callable[[Sequence[EncoderWindow], NDArray[np.float32], bool], None],
        on_done: Callable[[], None],
    ) -> None:
        """
        Args:
            encode: returns the embeddings, shape (windows, d), of windows of audio, each of shape (n,).
            use: called with windows, their embeddings, shape (windows, d), and whether they are provisional.
            on_done: called when embeddings have been computed.
        """
        self._encode, self._use, self._on_done = encode, use, on_done
        self._batches: deque[_Batch] = deque()

    @property
    def segments(self) -> frozenset[int]:
        """Numbers of the segments with pending embeddings."""
        return frozenset(window.segment for batch in self._batches for window in batch.windows)

    def submit(
        self, windows: Sequence[EncoderWindow], samples: Sequence[Samples], *, provisional: bool = False
    ) -> None:
        """Submit windows, at least one, with their audio; ``provisional``: passed on to ``use``."""
        task = asyncio.create_task(self._encode(samples))
        task.add_done_callback(lambda _: self._on_done())
        self._batches.append(_Batch(windows, task, provisional))

    async def wait(self, at_most: int = 0) -> None:
        """Wait until at most so many submissions are pending, and use the others. Raises what the encoder raises."""
        while len(self._batches) > at_most:
            await asyncio.wait([self._batches[0].vectors])
            self.use_done()

    def use_done(self) -> None:
        """Use the embeddings that have been computed, in order. Raises what the encoder raises."""
        while self._batches and self._batches[0].vectors.done():
            batch = self._batches.popleft()
            self._use(batch.windows, batch.vectors.result(), batch.provisional)

    async def close(self) -> None:
        """Cancel what is pending and wait until it has stopped."""
        for batch in self._batches:
            batch.vectors.cancel()
        await asyncio.gather(*(batch.vectors for batch in self._batches), return_exceptions=True)
        self._batches.clear()
