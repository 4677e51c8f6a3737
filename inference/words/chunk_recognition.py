"""Recognition of ongoing speech, chunk by chunk, with a bounded number in flight."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from inference.diarization import SpeechSegment
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, Samples
from inference.stages import AudioBuffer, UndetectedLanguage
from inference.words.flushed_words import FlushedWords
from inference.words.pending_tasks import PendingTasks

# A chunk is cut at the first pause after this share of its maximum length, so that words come sooner.
MIN_CHUNK_SHARE = 0.4
# A pause: this many detector windows (64 ms) with a lower speech probability than this, and a window after them.
PAUSE_WINDOWS, MAX_PAUSE_PROBABILITY = 2, 0.1
# Without a pause, a chunk that is too long is cut within its last seconds, where speech is least likely.
CUT_WITHIN_S = 2.5
# The last sound of a word goes on after the detector has ended the segment.
TAIL_S = 0.1
# Chunks submitted at once. Recordings wait for words, so that audio does not pile up in memory; live, diarization must
# not wait for late words.
MAX_PENDING_CHUNKS, MAX_PENDING_CHUNKS_LIVE = 4, 64
# A chunk cut from ongoing speech may be delayed this long, seconds, so that finished turns of other sessions go first;
# a chunk of a recording gives way for longer.
PATIENCE_ONGOING_S, PATIENCE_RECORDING_S = 1.0, 10.0
VAD_WINDOW_SAMPLES = 512


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk submitted to the recogniser."""

    segment: int
    start: int
    """First sample."""
    end: int
    """The sample after the last."""


class ChunkRecognition(UndetectedLanguage):
    """WordStage of a recogniser of short chunks; its words are final at once."""

    def __init__(
        self,
        recognise: Callable[[Samples, float], Awaitable[Sequence[RecognisedWord]]],
        expedite: Callable[[], None],
        max_chunk_s: float,
        on_change: Callable[[], None],
        *,
        live: bool,
        language: str = "",
    ) -> None:
        """
        Args:
            recognise: returns the words of samples, shape (n,), given their patience in seconds (see
            ``Batcher.submit``).
            expedite: makes the session's pending chunks due now.
            max_chunk_s: maximum length of a chunk, seconds.
            on_change: called when words have arrived.
            live: somebody is waiting for the words.
            language: BCP 47 primary tag; empty where unknown.
        """
        super().__init__(language)
        self._recognise_chunk, self._expedite = recognise, expedite
        self._max_chunk_s = max_chunk_s
        self._live = live
        self._pending = PendingTasks(self._on_words, on_change)
        self._flushed = FlushedWords(on_change)
        self._words: defaultdict[int, list[RecognisedWord]] = defaultdict(list)
        self._changed_segments: set[int] = set()
        self._segment_start_s: float | None = None
        self._chunk_start: int | None = None
        self._probabilities = np.zeros(0, np.float32)  # of the open chunk's recent windows
        self._windows_seen = 0

    def final_through(self, processed: int) -> int:
        """Return the sample up to which words are final: the first that waits, or ``processed``."""
        pending = min(self._unfinished_starts(), default=None)
        return processed if pending is None else min(processed, pending)

    def drop_segment(self, number: int) -> None:
        """Drop the words of a segment."""
        self._words.pop(number, None)

    def add_speech_probabilities(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the next windows, shape (n,): cuts depend on them."""
        keep = int(CUT_WITHIN_S * SAMPLE_RATE_HZ / VAD_WINDOW_SAMPLES)
        self._probabilities = np.concatenate([self._probabilities, probabilities])[-2 * keep :]
        self._windows_seen += len(probabilities)

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Return ``processed``: audio outside segments is not needed."""
        return processed

    def first_pending_sample(self) -> int | None:
        """Return the first sample of speech without words, those of a flush included; None where nothing is pending."""
        return min(map(self._flushed.known_through, self._unfinished_starts()), default=None)

    def _unfinished_starts(self) -> list[int]:
        """Return the first samples of the chunks without words, the open one included."""
        starts = [chunk.start for chunk in self._pending.running()]
        return starts if self._chunk_start is None else [*starts, self._chunk_start]

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer, processed: int) -> int:
        """Submit a chunk that reached a pause or grew too long; return the first sample still needed.

        Args:
            number: number of the segment.
            ongoing: the segment as far as it reaches now.
            audio: holds the segment's audio.
            processed: samples of the session that the detector has processed.
        """
        chunk_start = self._begin(ongoing)
        while (cut := self._cut(chunk_start, processed)) is not None:
            await self._submit(_Chunk(number, chunk_start, cut), audio.span(chunk_start, cut), PATIENCE_ONGOING_S)
            self._chunk_start = chunk_start = cut
        return chunk_start

    def _begin(self, segment: SpeechSegment) -> int:
        """Return the first sample of the segment that no submitted chunk holds."""
        if self._chunk_start is None or self._segment_start_s != segment.start_s:
            self._segment_start_s = segment.start_s
            self._chunk_start = int(segment.start_s * SAMPLE_RATE_HZ)
        return self._chunk_start

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._chunk_start = None
        self._flushed.keep_only({chunk.start for chunk in self._pending})

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Submit the rest of a segment that has ended."""
        start = self._begin(segment)
        self._chunk_start = None
        end = min(audio.end, int((segment.end_s + TAIL_S) * SAMPLE_RATE_HZ))
        if start < int(segment.end_s * SAMPLE_RATE_HZ):  # not already cut in the pause that ended it
            await self._submit(_Chunk(number, start, end), audio.span(start, end), 0.0)
        if self._live:
            self._expedite()

    async def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Recognise the rest of a segment so far; its chunks stay as they would be."""
        start = int(segment.start_s * SAMPLE_RATE_HZ)
        if self._chunk_start is not None and self._segment_start_s == segment.start_s:
            start = self._chunk_start
        end = min(audio.end, int((segment.end_s + TAIL_S) * SAMPLE_RATE_HZ))
        if self._flushed.known_through(start) < int(segment.end_s * SAMPLE_RATE_HZ):
            work = self._recognise(start / SAMPLE_RATE_HZ, audio.span(start, end).copy(), 0.0)
            self._flushed.start(number, start, end, work)
        self._expedite()

    def pop_changed_segments(self) -> set[int]:
        """Return the segments whose words changed since the last call. Raises what the recogniser raises."""
        self._pending.collect_done()
        changed_segments, self._changed_segments = self._changed_segments, set()
        return changed_segments | self._flushed.pop_changed_segments()

    def segment_words(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        return sorted([*self._words.get(number, ()), *self._flushed.words(number)], key=_by_time)

    def awaits_words(self, number: int) -> bool:
        """Return whether chunks of the segment, or words of a flush, are pending."""
        tail = int(TAIL_S * SAMPLE_RATE_HZ)
        pending = any(
            chunk.segment == number and self._flushed.known_through(chunk.start) < chunk.end - tail
            for chunk in self._pending
        )
        return pending or self._flushed.awaits_words(number)

    def drop_before(self, sample: int) -> None:
        """Do nothing: ``finish`` returns every word again."""

    async def finish(self, audio: AudioBuffer) -> list[RecognisedWord]:
        """Return every word of the session by time. Raises what the recogniser raises."""
        await self._pending.wait(at_most=0)
        return sorted((word for words in self._words.values() for word in words), key=_by_time)

    async def close(self) -> None:
        """Cancel pending chunks and wait until they have stopped."""
        await self._flushed.close()
        await self._pending.close()

    def _cut(self, start: int, processed: int) -> int | None:
        """Return the end of the chunk that begins at ``start``; None while it continues."""
        limit = start + int(self._max_chunk_s * SAMPLE_RATE_HZ)
        pause = self._first_pause(start + int(MIN_CHUNK_SHARE * self._max_chunk_s * SAMPLE_RATE_HZ))
        if pause is not None and pause <= limit:
            return pause
        return self._quietest(limit) if processed > limit else None

    def _first_pause(self, after: int) -> int | None:
        """Return the middle of the first pause that begins at or after a sample; None without one."""
        base = self._windows_seen - len(self._probabilities)
        first = max(base, -(-after // VAD_WINDOW_SAMPLES))
        quiet = self._probabilities[first - base :] < MAX_PAUSE_PROBABILITY
        if len(quiet) <= PAUSE_WINDOWS:
            return None
        pauses = np.flatnonzero(sliding_window_view(quiet[:-1], PAUSE_WINDOWS).all(axis=1))
        if not len(pauses):
            return None
        return (first + int(pauses[0])) * VAD_WINDOW_SAMPLES + PAUSE_WINDOWS * VAD_WINDOW_SAMPLES // 2

    def _quietest(self, limit: int) -> int:
        """Return the middle of the least speech-like window in the 2.5 s before ``limit``."""
        last = min(limit // VAD_WINDOW_SAMPLES, self._windows_seen)
        first = max(last - int(CUT_WITHIN_S * SAMPLE_RATE_HZ / VAD_WINDOW_SAMPLES), 0)
        base = self._windows_seen - len(self._probabilities)
        recent = self._probabilities[max(0, first - base) : max(0, last - base)]
        if not len(recent):
            return limit
        window = max(first, base) + int(recent.argmin())
        return window * VAD_WINDOW_SAMPLES + VAD_WINDOW_SAMPLES // 2

    async def _submit(self, chunk: _Chunk, samples: Samples, patience_s: float) -> None:
        await self._pending.wait(at_most=(MAX_PENDING_CHUNKS_LIVE if self._live else MAX_PENDING_CHUNKS) - 1)
        patience_s = patience_s if self._live else PATIENCE_RECORDING_S
        self._pending.start(chunk, self._recognise(chunk.start / SAMPLE_RATE_HZ, samples.copy(), patience_s))

    async def _recognise(self, offset_s: float, samples: Samples, patience_s: float) -> list[RecognisedWord]:
        return [word.shifted(offset_s) for word in await self._recognise_chunk(samples, patience_s)]

    def _on_words(self, chunk: _Chunk, words: list[RecognisedWord]) -> None:
        self._words[chunk.segment] += words
        self._flushed.replace_through(chunk.start)
        self._changed_segments.add(chunk.segment)


def _by_time(word: RecognisedWord) -> tuple[float, float]:
    return word.start_s, word.end_s
