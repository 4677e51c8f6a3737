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
from inference.words.work_under_way import WorkUnderWay

# A chunk is cut at the first pause after this share of its maximum length, so that words come sooner.
MIN_SHARE = 0.4
# A pause: this many detector windows (64 ms) with a lower speech probability than this, and a window after them.
PAUSE_WINDOWS, PAUSE_BELOW = 2, 0.1
# Without a pause, a chunk that is too long is cut within its last seconds, where speech is least likely.
CUT_WITHIN_S = 2.5
# The last sound of a word goes on after the detector has ended the segment.
TAIL_S = 0.1
# Chunks submitted at once. Recordings wait for words, so that audio does not pile up in memory; live, diarization must
# not wait for late words.
PIECES_AT_ONCE, PIECES_AT_ONCE_LIVE = 4, 64
# A chunk cut from ongoing speech may be delayed this long, seconds, so that finished turns of other sessions go first;
# a chunk of a recording gives way for longer.
PATIENCE_GOES_ON_S, PATIENCE_RECORDING_S = 1.0, 10.0
VAD_WINDOW_SAMPLES = 512


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk submitted to the recogniser."""

    segment: int
    start: int
    """First sample."""


class PieceRecognition(UndetectedLanguage):
    """WordStage of a recogniser of short chunks; its words are final at once."""

    def __init__(
        self,
        recognise: Callable[[Samples, float], Awaitable[Sequence[RecognisedWord]]],
        hurry: Callable[[], None],
        max_segment_s: float,
        changed: Callable[[], None],
        *,
        live: bool,
        language: str = "",
    ) -> None:
        """
        Args:
            recognise: returns the words of samples, shape (n,), given their patience in seconds (see
            ``Batcher.submit``).
            hurry: makes the session's pending chunks due now.
            max_segment_s: maximum length of a chunk, seconds.
            changed: called when words have arrived.
            live: somebody is waiting for the words.
            language: BCP 47 primary tag; empty where unknown.
        """
        super().__init__(language)
        self._recognise_piece, self._hurry = recognise, hurry
        self._max_segment_s = max_segment_s
        self._live = live
        self._pending = WorkUnderWay(self._take, changed)
        self._words: defaultdict[int, list[RecognisedWord]] = defaultdict(list)
        self._done: set[int] = set()
        self._segment_start_s: float | None = None
        self._piece_start: int | None = None
        self._probabilities = np.zeros(0, np.float32)  # of the open chunk's recent windows
        self._windows_heard = 0

    def final_through(self, heard: int) -> int:
        """Return the sample up to which words are final: the first that waits, or ``heard``."""
        waiting = self.oldest_waiting()
        return heard if waiting is None else min(heard, waiting)

    def forget(self, number: int) -> None:
        """Drop the words of a segment."""
        self._words.pop(number, None)

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """Record the speech probabilities of the next windows, shape (n,): cuts depend on them."""
        keep = int(CUT_WITHIN_S * SAMPLE_RATE_HZ / VAD_WINDOW_SAMPLES)
        self._probabilities = np.concatenate([self._probabilities, probabilities])[-2 * keep :]
        self._windows_heard += len(probabilities)

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Return ``heard``: audio outside segments is not needed."""
        return heard

    def oldest_waiting(self) -> int | None:
        """Return the first sample of the oldest chunk without words; None where nothing is pending."""
        starts = [piece.start for piece in self._pending.running()]
        if self._piece_start is not None:
            starts.append(self._piece_start)
        return min(starts, default=None)

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        """Submit a chunk that reached a pause or grew too long; return the first sample still needed.

        Args:
            number: number of the segment.
            under_way: the segment as far as it reaches now.
            audio: holds the segment's audio.
            heard: samples of the session that the detector has processed.
        """
        piece_start = self._begin(under_way)
        while (cut := self._cut(piece_start, heard)) is not None:
            await self._submit(_Piece(number, piece_start), audio.span(piece_start, cut), PATIENCE_GOES_ON_S)
            self._piece_start = piece_start = cut
        return piece_start

    def _begin(self, segment: SpeechSegment) -> int:
        """Return the first sample of the segment that no submitted chunk holds."""
        if self._piece_start is None or self._segment_start_s != segment.start_s:
            self._segment_start_s = segment.start_s
            self._piece_start = int(segment.start_s * SAMPLE_RATE_HZ)
        return self._piece_start

    def abandon_segment(self) -> None:
        """Discard the ongoing segment, if any: it was too short to be speech."""
        self._piece_start = None

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Submit the rest of a segment that has ended."""
        start = self._begin(segment)
        self._piece_start = None
        end = min(audio.end, int((segment.end_s + TAIL_S) * SAMPLE_RATE_HZ))
        if start < int(segment.end_s * SAMPLE_RATE_HZ):  # not already cut in the pause that ended it
            await self._submit(_Piece(number, start), audio.span(start, end), 0.0)
        if self._live:
            self._hurry()

    def take_done(self) -> set[int]:
        """Return the segments that got words since the last call. Raises what the recogniser raises."""
        self._pending.take_done()
        done, self._done = self._done, set()
        return done

    def words_of(self, number: int) -> list[RecognisedWord]:
        """Return the words of a segment so far, by time."""
        return sorted(self._words.get(number, ()), key=_by_time)

    def waits_for(self, number: int) -> bool:
        """Return whether chunks of the segment are pending."""
        return any(piece.segment == number for piece in self._pending)

    def forget_before(self, sample: int) -> None:
        """Do nothing: ``finish`` returns every word again."""

    async def finish(self, audio: AudioBuffer) -> list[RecognisedWord]:
        """Return every word of the session by time. Raises what the recogniser raises."""
        await self._pending.wait(at_most=0)
        return sorted((word for words in self._words.values() for word in words), key=_by_time)

    async def close(self) -> None:
        """Cancel pending chunks and wait until they have stopped."""
        await self._pending.close()

    def _cut(self, start: int, heard: int) -> int | None:
        """Return the end of the chunk that begins at ``start``; None while it continues."""
        limit = start + int(self._max_segment_s * SAMPLE_RATE_HZ)
        pause = self._first_pause(start + int(MIN_SHARE * self._max_segment_s * SAMPLE_RATE_HZ))
        if pause is not None and pause <= limit:
            return pause
        return self._quietest(limit) if heard > limit else None

    def _first_pause(self, after: int) -> int | None:
        """Return the middle of the first pause that begins at or after a sample; None without one."""
        base = self._windows_heard - len(self._probabilities)
        first = max(base, -(-after // VAD_WINDOW_SAMPLES))
        quiet = self._probabilities[first - base :] < PAUSE_BELOW
        if len(quiet) <= PAUSE_WINDOWS:
            return None
        pauses = np.flatnonzero(sliding_window_view(quiet[:-1], PAUSE_WINDOWS).all(axis=1))
        if not len(pauses):
            return None
        return (first + int(pauses[0])) * VAD_WINDOW_SAMPLES + PAUSE_WINDOWS * VAD_WINDOW_SAMPLES // 2

    def _quietest(self, limit: int) -> int:
        """Return the middle of the least speech-like window in the 2.5 s before ``limit``."""
        last = min(limit // VAD_WINDOW_SAMPLES, self._windows_heard)
        first = max(last - int(CUT_WITHIN_S * SAMPLE_RATE_HZ / VAD_WINDOW_SAMPLES), 0)
        base = self._windows_heard - len(self._probabilities)
        recent = self._probabilities[max(0, first - base) : max(0, last - base)]
        if not len(recent):
            return limit
        window = max(first, base) + int(recent.argmin())
        return window * VAD_WINDOW_SAMPLES + VAD_WINDOW_SAMPLES // 2

    async def _submit(self, piece: _Piece, samples: Samples, patience_s: float) -> None:
        await self._pending.wait(at_most=(PIECES_AT_ONCE_LIVE if self._live else PIECES_AT_ONCE) - 1)
        patience_s = patience_s if self._live else PATIENCE_RECORDING_S
        self._pending.start(piece, self._recognise(piece.start / SAMPLE_RATE_HZ, samples.copy(), patience_s))

    async def _recognise(self, offset_s: float, samples: Samples, patience_s: float) -> list[RecognisedWord]:
        return [word.moved(offset_s) for word in await self._recognise_piece(samples, patience_s)]

    def _take(self, piece: _Piece, words: list[RecognisedWord]) -> None:
        self._words[piece.segment] += words
        self._done.add(piece.segment)


def _by_time(word: RecognisedWord) -> tuple[float, float]:
    return word.start_s, word.end_s
