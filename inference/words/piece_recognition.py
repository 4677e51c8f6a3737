"""Recognising a session's speech while it goes on, piece by piece: a few at once, never more."""

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

# A piece is cut at the first pause after this share of the longest it may be: words come sooner.
MIN_SHARE = 0.4
# A pause: so many windows (64 ms) that hold speech with less than this probability, and something after them.
PAUSE_WINDOWS, PAUSE_BELOW = 2, 0.1
# Where there is none, a cut is looked for in so much of the end of a piece that grew too long.
CUT_WITHIN_S = 2.5
# The last sound of a word goes on after the detector has let go of it.
TAIL_S = 0.1
# Pieces with the recogniser at once. A recording waits for words, so that its audio does not pile up in
# memory; live, who speaks must not wait for words that are late.
PIECES_AT_ONCE, PIECES_AT_ONCE_LIVE = 4, 64
# What is cut off a speech that goes on can wait for a turn elsewhere that has ended, for so many seconds; a
# recording waits for everybody who listens.
PATIENCE_GOES_ON_S, PATIENCE_RECORDING_S = 1.0, 10.0
VAD_WINDOW_SAMPLES = 512


@dataclass(frozen=True, slots=True)
class _Piece:
    """Audio handed to the recogniser."""

    segment: int
    start: int
    """First sample."""


class PieceRecognition(UndetectedLanguage):
    """WordStage of a recogniser of short pieces; what it hears is said for good."""

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
            recognise: the words of a piece of shape (n,); its patience, seconds, see ``Batcher.submit``.
            hurry: what waits for its words is due now.
            max_segment_s: the longest piece, seconds.
            changed: is called when words have come.
            live: somebody waits for them.
            language: what is spoken, where it is known.
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
        self._probabilities = np.zeros(0, np.float32)  # of the open piece's recent windows
        self._windows_heard = 0

    def final_through(self, heard: int) -> int:
        waiting = self.oldest_waiting()
        return heard if waiting is None else min(heard, waiting)

    def forget(self, number: int) -> None:
        """The words of a segment are wanted no more."""
        self._words.pop(number, None)

    def note_speech(self, probabilities: NDArray[np.float32]) -> None:
        """Remembers how likely the last windows hold speech: a long piece is cut where it is least likely."""
        keep = int(CUT_WITHIN_S * SAMPLE_RATE_HZ / VAD_WINDOW_SAMPLES)
        self._probabilities = np.concatenate([self._probabilities, probabilities])[-2 * keep :]
        self._windows_heard += len(probabilities)

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Pauses are of no interest here: nothing is needed of what no segment holds."""
        return heard

    def oldest_waiting(self) -> int | None:
        """First sample of the oldest piece without words yet; None where nothing waits."""
        starts = [piece.start for piece in self._pending.running()]
        if self._piece_start is not None:
            starts.append(self._piece_start)
        return min(starts, default=None)

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer, heard: int) -> int:
        """Hands out a piece that came to a pause, or grew too long; returns the first sample still needed.

        ``number``: the segment's; ``heard``: samples of the session that the detector has heard.
        """
        piece_start = self._begin(under_way)
        while (cut := self._cut(piece_start, heard)) is not None:
            await self._submit(_Piece(number, piece_start), audio.span(piece_start, cut), PATIENCE_GOES_ON_S)
            self._piece_start = piece_start = cut
        return piece_start

    def _begin(self, segment: SpeechSegment) -> int:
        """First sample of the segment that no piece handed out holds yet."""
        if self._piece_start is None or self._segment_start_s != segment.start_s:
            self._segment_start_s = segment.start_s
            self._piece_start = int(segment.start_s * SAMPLE_RATE_HZ)
        return self._piece_start

    def abandon_segment(self) -> None:
        """No segment is under way: what seemed to begin was too short to be speech."""
        self._piece_start = None

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Hands out what is left of a segment that has ended."""
        start = self._begin(segment)
        self._piece_start = None
        end = min(audio.end, int((segment.end_s + TAIL_S) * SAMPLE_RATE_HZ))
        if start < int(segment.end_s * SAMPLE_RATE_HZ):  # not cut already in the pause that ended it
            await self._submit(_Piece(number, start), audio.span(start, end), 0.0)
        if self._live:
            self._hurry()

    def take_done(self) -> set[int]:
        """Numbers of the segments for which words have come since the last call. Raises what the recogniser raises."""
        self._pending.take_done()
        done, self._done = self._done, set()
        return done

    def words_of(self, number: int) -> list[RecognisedWord]:
        """The words of a segment so far, in the order of time."""
        return sorted(self._words.get(number, ()), key=_by_time)

    def waits_for(self, number: int) -> bool:
        """True while pieces of the segment are under way."""
        return any(piece.segment == number for piece in self._pending)

    def forget_before(self, sample: int) -> None:
        """Everything told is final, and ``finish`` tells all of it again."""

    async def finish(self, audio: AudioBuffer) -> list[RecognisedWord]:
        """Every word of the session, in the order of time. Raises what the recogniser raises."""
        await self._pending.wait(at_most=0)
        return sorted((word for words in self._words.values() for word in words), key=_by_time)

    async def close(self) -> None:
        """Cancels what is under way and waits until it is gone."""
        await self._pending.close()

    def _cut(self, start: int, heard: int) -> int | None:
        """Where the piece that begins at ``start`` ends; None while it goes on."""
        limit = start + int(self._max_segment_s * SAMPLE_RATE_HZ)
        pause = self._first_pause(start + int(MIN_SHARE * self._max_segment_s * SAMPLE_RATE_HZ))
        if pause is not None and pause <= limit:
            return pause
        return self._quietest(limit) if heard > limit else None

    def _first_pause(self, after: int) -> int | None:
        """The middle of the first pause that begins at or after a sample."""
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
        """The middle of the window least likely to hold speech in the 2.5 s before ``limit``."""
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
