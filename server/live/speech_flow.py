"""What happens in the speech of a live meeting: turns that end, and pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from meetra.v1 import live_pb2 as pb

from server.live.config import LiveConfig
from server.live.hearing import Hearing, known_through_us
from server.live.pauses import Pauses
from server.live.published_speech import PublishedSpeech
from server.live.turn_ends import TurnEnds

# A segment that is spoken is published again at the latest after this much more of it, milliseconds.
MAX_GROWTH_MS = 2000


class SpeechFlow:
    """The ends of turns and the pauses of one meeting, by what is published of its turns."""

    def __init__(self, config: LiveConfig) -> None:
        self._pause_ms = 1000 * config.pause_s
        self._speech = PublishedSpeech()
        self._ends = TurnEnds(config, self._speech)
        self._pauses = Pauses(self._pause_ms)

    def restore(self, events: Sequence[pb.LiveEvent]) -> None:
        """Restore what was told from stored events."""
        for event in events:
            if event.WhichOneof("event") == "turn":
                self._speech.put(event.turn)
        self._ends.restore(events)
        self._pauses.restore(events)

    def note(self, events: Iterable[pb.LiveEvent]) -> None:
        """Take note of the turns that are published next."""
        turns = [event.turn for event in events if event.WhichOneof("event") == "turn"]
        for turn in turns:
            self._speech.put(turn)
        for turn in turns:
            self._ends.note(turn)

    def changes(self, has_ended: Callable[[int], bool], hearings: Sequence[Hearing]) -> list[pb.LiveEvent]:
        """Return events for what has ended and for pauses.

        Args:
            has_ended: returns whether the speech of a segment has ended, by its id.
            hearings: how far each track is heard.
        """
        through_ms = known_through_us(hearings) // 1000
        # Who is heard elsewhere, because their audio comes late, does not speak now.
        now_ms = through_ms - self._pause_ms - MAX_GROWTH_MS
        speaking = any(turn.end_ms >= now_ms and not has_ended(turn.segment_id) for turn in self._ends.waiting)
        ends = self._ends.changes(has_ended, hearings)
        return [*ends, *self._pauses.changes(self._speech_since(through_ms), through_ms, speaking=speaking)]

    def conclude(self, duration_ms: int) -> list[pb.LiveEvent]:
        """Return the last events, of a meeting that has ended; its final turns were noted."""
        return [*self._ends.conclude(duration_ms), *self._pauses.conclude(self._speech_since(duration_ms), duration_ms)]

    def _speech_since(self, through_ms: int) -> list[pb.LiveTurn]:
        """Return the segments that end after the last speech that the pauses have taken into account."""
        from_ms = self._pauses.silent_from_ms
        return [turn for turn in self._speech.between(from_ms, max(from_ms, through_ms)) if turn.end_ms > from_ms]
