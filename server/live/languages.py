"""Which language each track of a live meeting is in, and what clients were told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from meetra.v1 import live_pb2 as pb

from server.conversation import Segment
from server.conversation.languages import most_spoken, spoken_us, weighted_confidence
from server.conversation.tracks import place_of_segment
from server.live.config import LiveConfig


class LiveLanguages:
    """The languages of one meeting's tracks; each is told when it becomes known, and when it changes."""

    def __init__(self, config: LiveConfig) -> None:
        self._ids = [track.track_id for track in config.tracks]
        self._now: dict[str, pb.LiveLanguage] = {}
        self._told: dict[str, str] = {}

    def hear(self, track: int, language: str, confidence: float | None) -> None:
        """What is spoken on a track now, as its engine says; empty while it is not known."""
        if language:
            id_ = self._ids[track]
            self._now[id_] = pb.LiveLanguage(track_id=id_, language=language, confidence=confidence)

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Takes up what was told before this process held the meeting."""
        for event in events:
            if event.WhichOneof("event") == "language":
                said = event.language
                self._now[said.track_id] = said
                self._told[said.track_id] = said.language

    def changes(self, ignored: Collection[int]) -> list[pb.LiveEvent]:
        """Events that say what has changed since the last call, and count as told; but for the ``ignored`` tracks."""
        silent = {self._ids[place] for place in ignored}
        changed = [said for id_, said in self._now.items() if said.language != self._told.get(id_, "")]
        changed = [said for said in changed if said.track_id not in silent]
        self._told.update((said.track_id, said.language) for said in changed)
        return [pb.LiveEvent(language=said) for said in changed]

    def of_meeting(self, segments: Sequence[Segment]) -> tuple[str, float | None]:
        """The language that the meeting's ``segments`` are in most of the time; how sure the engine is of it, 0..1."""
        language = most_spoken(spoken_us(segments))
        sure = []
        for place, id_ in enumerate(self._ids):
            said = self._now.get(id_)
            if said is not None and said.language == language and said.HasField("confidence"):
                own = (s for s in segments if place_of_segment(s.segment_id, len(self._ids)) == place)
                sure.append((said.confidence, spoken_us(own)[language]))
        return language, weighted_confidence(sure)
