"""What clients were told of a live meeting while it goes on, and what is to be told since."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import TurnState
from server.live.config import LiveConfig
from server.live.languages import LiveLanguages
from server.live.turns import LiveTurns, is_participant


class Told:
    """Turns, the languages of tracks, and how far they stand; each change is told once, whatever dies in between."""

    def __init__(self, config: LiveConfig, meeting_id: UUID) -> None:
        self._config = config
        self.turns = LiveTurns(config, meeting_id)
        self.languages = LiveLanguages(config)
        self._marks = Marks()

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Takes up what was told before this process held the meeting; may be called again with the next events."""
        events = list(events)
        self.turns.restore(events)
        self.languages.restore(events)
        self._marks.restore(events)

    def changes(self, ignored: Collection[int]) -> list[pb.LiveEvent]:
        """Events that say what has changed since the last call, and count as told; but for the ``ignored`` tracks."""
        mark = watermark(self._config, self.turns, ignored)
        return [*self.languages.changes(ignored), *self.turns.changes(), *self._marks.changes(mark)]


class Marks:
    """The watermark as it was told last; it never falls."""

    def __init__(self) -> None:
        self._told = pb.Watermark()

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Takes up what was told before this process held the meeting."""
        for event in events:
            if event.WhichOneof("event") == "watermark":
                self._told = event.watermark

    def changes(self, now: pb.Watermark) -> list[pb.LiveEvent]:
        """The event that says how far it has moved, which counts as told; none where it has not."""
        before = self._told
        final = max(before.final_through_ms, now.final_through_ms)
        words = max(before.words_final_through_ms, now.words_final_through_ms, final)
        self._told = pb.Watermark(final_through_ms=final, words_final_through_ms=words)
        return [pb.LiveEvent(watermark=self._told)] if self._told != before else []


def watermark(config: LiveConfig, turns: LiveTurns, ignored: Collection[int]) -> pb.Watermark:
    """How far nothing will change any more on tracks that are not ``ignored``: speakers and words, and words alone."""
    finals, words = [], []
    for place, track in enumerate(config.tracks):
        if place in ignored:
            continue
        # Before it begins nothing is said.
        known = max(turns.words_final_through_us(place), track.start_us)
        open_words = turns.first_open_us(place, {TurnState.PARTIAL})
        words.append(min(known, open_words) if open_words is not None else known)
        if is_participant(config, place) and turns.settled(place):
            finals.append(words[-1])
        else:
            finals.append(0)
    return pb.Watermark(
        final_through_ms=min(finals, default=0) // 1000, words_final_through_ms=min(words, default=0) // 1000
    )
