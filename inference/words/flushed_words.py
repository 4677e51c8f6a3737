"""Provisional words of speech that no chunk holds yet, as if it had ended; the chunks that hold it replace them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

from inference.models import RecognisedWord
from inference.words.pending_tasks import PendingTasks


@dataclass(slots=True)
class _Flushed:
    """Speech of one segment from the end of its last chunk on."""

    segment: int
    words: list[RecognisedWord]
    known_end: int
    """Words are known up to this sample."""
    waits: bool


@dataclass(frozen=True, slots=True)
class _Request:
    start: int
    end: int


class FlushedWords:
    """What one session knows beyond its chunks, by first sample."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """``on_change``: called when words have arrived."""
        self._pending: PendingTasks[_Request, list[RecognisedWord]] = PendingTasks(self._on_words, on_change)
        self._flushed: dict[int, _Flushed] = {}
        self._changed_segments: set[int] = set()

    def start(self, segment: int, start: int, end: int, work: Coroutine[Any, Any, list[RecognisedWord]]) -> None:
        """Start the recognition of samples ``start`` to ``end`` of a segment; ``work`` returns their words."""
        known = self._flushed.setdefault(start, _Flushed(segment, [], start, waits=True))
        known.segment, known.waits = segment, True
        self._pending.start(_Request(start, end), work)

    def pop_changed_segments(self) -> set[int]:
        """Return the segments whose words changed since the last call. Raises what the recogniser raises."""
        self._pending.collect_done()
        changed_segments, self._changed_segments = self._changed_segments, set()
        return changed_segments

    def words(self, segment: int) -> list[RecognisedWord]:
        """Return the words of a segment beyond its chunks."""
        return [word for known in self._flushed.values() if known.segment == segment for word in known.words]

    def awaits_words(self, segment: int) -> bool:
        """Return whether words of the segment are still to come."""
        return any(known.waits for known in self._flushed.values() if known.segment == segment)

    def known_through(self, start: int) -> int:
        """Return the sample up to which the words of speech that begins at ``start`` are known."""
        known = self._flushed.get(start)
        return start if known is None else known.known_end

    def replace_through(self, start: int) -> None:
        """Drop what begins at ``start`` or before: the chunk that begins there has its words."""
        self._drop([first for first in self._flushed if first <= start])

    def keep_only(self, starts: Collection[int]) -> None:
        """Drop everything but what begins at one of ``starts``."""
        self._drop([first for first in self._flushed if first not in starts])

    async def close(self) -> None:
        """Cancel pending work and wait until it has stopped."""
        await self._pending.close()

    def _drop(self, starts: list[int]) -> None:
        for start in starts:
            self._changed_segments.add(self._flushed.pop(start).segment)

    def _on_words(self, request: _Request, words: list[RecognisedWord]) -> None:
        known = self._flushed.get(request.start)
        if known is None:
            return
        known.waits = any(other.start == request.start for other in self._pending)
        self._changed_segments.add(known.segment)
        # A shorter request may be done after a longer one.
        if request.end >= known.known_end:
            known.words, known.known_end = words, request.end
