"""Transcriber on a pool of PocketSphinx processes: a native crash takes a process, never the server."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from inference.models import RecognisedWord, Samples, TranscriptionFailed
from inference.sphinx import decoder_process

log = logging.getLogger(__name__)


class SphinxTranscriber:
    """English words with times and posterior confidence; each call is independent of the others."""

    languages: tuple[str, ...] = ("en",)
    # Measured: as good as 30 s (53.0 % and 53.1 % word errors over all evaluation recordings), and words
    # of a long speech come while it goes on.
    max_segment_s = 5.0

    def __init__(self, processes: int) -> None:
        self.parallel = processes
        self.processor_s = 0.0
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.parallel,
            mp_context=context,
            initializer=decoder_process.start,
            initargs=(os.getpid(), context.Value("i", 0), self.parallel),
        )

    async def transcribe(self, samples: Samples) -> tuple[RecognisedWord, ...]:
        """See Transcriber. A process that dies is replaced and the audio tried once more."""
        pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        for last_try in (False, True):
            pool = self._pool
            try:
                found, seconds = await asyncio.get_running_loop().run_in_executor(pool, decoder_process.timed, pcm)
                self.processor_s += seconds
                return tuple(RecognisedWord(*word) for word in found)
            except BrokenProcessPool:
                log.warning("a recogniser process died")
                if self._pool is pool:
                    pool.shutdown(wait=False)
                    self._pool = self._new_pool()
                if last_try:
                    raise TranscriptionFailed("the recogniser crashed twice on the same audio") from None
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Ends the processes."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
