"""The published state of a live meeting, and the changes to publish next."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import TurnState
from server.live.config import LiveConfig
from server.live.languages import LiveLanguages
from server.live.turns import LiveTurns, is_participant


class Told:
    """Turns, track languages and the watermark; each change is published once, even across crashes."""

    def __init__(self, config: LiveConfig, meeting_id: UUID) -> None:
        self._config = config
        self.turns = LiveTurns(config, meeting_id)
        self.languages = LiveLanguages(config)
        self._marks = Marks()

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore the published state from stored events; may be called repeatedly with consecutive batches."""
        events = list(events)
        self.turns.restore(events)
        self.languages.restore(events)
        self._marks.restore(events)

    def changes(self, ignored: Collection[int]) -> list[pb.LiveEvent]:
        """Return events for all changes since the last call, without ``ignored`` tracks, and mark them as published."""
        mark = watermark(self._config, self.turns, ignored)
        return [*self.languages.changes(ignored), *self.turns.changes(), *self._marks.changes(mark)]


class Marks:
    """The last published watermark; it never decreases."""

    def __init__(self) -> None:
        self._told = pb.Watermark()

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore the published watermark from stored events."""
        for event in events:
            if event.WhichOneof("event") == "watermark":
                self._told = event.watermark

    def changes(self, now: pb.Watermark) -> list[pb.LiveEvent]:
        """Return an event if the watermark has advanced, and mark it as published."""
        before = self._told
        final = max(before.final_through_ms, now.final_through_ms)
        words = max(before.words_final_through_ms, now.words_final_through_ms, final)
        self._told = pb.Watermark(final_through_ms=final, words_final_through_ms=words)
        return [pb.LiveEvent(watermark=self._told)] if self._told != before else []


def watermark(config: LiveConfig, turns: LiveTurns, ignored: Collection[int]) -> pb.Watermark:
    """Return up to where turns with speakers and words are final, and words alone, over all tracks not ``ignored``."""
    finals, words = [], []
    for place, track in enumerate(config.tracks):
        if place in ignored:
            continue
        # There is no speech before a track starts.
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
