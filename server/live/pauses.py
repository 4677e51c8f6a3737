"""The pauses of a live meeting: silences of everybody, told when they are long enough and when they are over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meetra.v1 import live_pb2 as pb


class Pauses:
    """Tell each pause once when it has begun and once when it is over, also through restarts."""

    def __init__(self, least_ms: int) -> None:
        """``least_ms``: shorter silences are none, milliseconds."""
        self._least_ms = least_ms
        self._open = False
        self.silent_from_ms = 0
        """End of the last speech taken into account, or the start of the pause that lasts."""

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore what was told from stored events."""
        for event in events:
            if event.WhichOneof("event") == "pause":
                self._open = not event.pause.HasField("end_ms")
                self.silent_from_ms = event.pause.start_ms if self._open else event.pause.end_ms

    def changes(self, speech: Sequence[pb.LiveTurn], through_ms: int, *, speaking: bool) -> list[pb.LiveEvent]:
        """Return events for the pauses that begin or end.

        Args:
            speech: the segments that end after ``silent_from_ms``, by start.
            through_ms: who speaks is known up to here.
            speaking: somebody speaks there.
        """
        events = []
        for turn in speech:
            if turn.start_ms > through_ms:
                break
            if self._open and turn.start_ms < self.silent_from_ms:
                continue  # the end of what was said before the pause has moved
            if self._open or turn.start_ms - self.silent_from_ms >= self._least_ms:
                events += self._over(turn.start_ms)
            self.silent_from_ms = max(self.silent_from_ms, turn.end_ms)
        if not self._open and not speaking and through_ms - self.silent_from_ms >= self._least_ms:
            events.append(self._begin())
        return events

    def conclude(self, speech: Sequence[pb.LiveTurn], duration_ms: int) -> list[pb.LiveEvent]:
        """Return the last events, of a meeting that has ended; ``speech`` as in ``changes``."""
        events = self.changes(speech, duration_ms, speaking=False)
        return [*events, *self._over(duration_ms)] if self._open else events

    def _begin(self) -> pb.LiveEvent:
        self._open = True
        return pb.LiveEvent(pause=pb.LivePause(start_ms=self.silent_from_ms))

    def _over(self, end_ms: int) -> list[pb.LiveEvent]:
        begun = [] if self._open else [self._begin()]
        self._open = False
        start_ms, end_ms = self.silent_from_ms, max(self.silent_from_ms, end_ms)
        self.silent_from_ms = end_ms
        return [*begun, pb.LiveEvent(pause=pb.LivePause(start_ms=start_ms, end_ms=end_ms))]
