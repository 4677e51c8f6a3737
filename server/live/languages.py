"""The language of each track of a live meeting, and which of them clients already know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from meetra.v1 import live_pb2 as pb

from server.conversation import Segment, most_spoken, place_of_segment, spoken_us, weighted_confidence
from server.live.config import LiveConfig


class LiveLanguages:
    """Track the languages of a meeting's tracks; report each one when it becomes known and when it changes."""

    def __init__(self, config: LiveConfig) -> None:
        self._config = config
        self._now: dict[int, pb.LiveLanguage] = {}
        self._told: dict[int, str] = {}

    def hear(self, track: int, language: str, confidence: float | None) -> None:
        """Record the language the engine reports for a track; empty while it is unknown.

        Args:
            track: index in the config's tracks.
            language: BCP 47 primary tag.
            confidence: 0..1, None where the engine gives none.
        """
        if language:
            of = self._config.tracks[track]
            self._now[track] = pb.LiveLanguage(
                track_id=of.track_id, language=language, confidence=confidence, channel=of.channel
            )

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore the published languages from stored events, after a restart or a change of holder."""
        for event in events:
            if event.WhichOneof("event") == "language":
                said = event.language
                track = self._config.place_of(said.track_id, said.channel)
                self._now[track] = said
                self._told[track] = said.language

    def changes(self, ignored: Collection[int]) -> list[pb.LiveEvent]:
        """Return events for the changes since the last call, without ``ignored`` tracks, and mark them as published."""
        changed = {track: said for track, said in self._now.items() if said.language != self._told.get(track, "")}
        changed = {track: said for track, said in changed.items() if track not in ignored}
        self._told.update((track, said.language) for track, said in changed.items())
        return [pb.LiveEvent(language=said) for said in changed.values()]

    def of_meeting(self, segments: Sequence[Segment]) -> tuple[str, float | None]:
        """Return the language with the most speech, and the engine's confidence in it, 0..1 or None."""
        language = most_spoken(spoken_us(segments))
        sure = []
        tracks = len(self._config.tracks)
        for track, said in self._now.items():
            if said.language == language and said.HasField("confidence"):
                own = (s for s in segments if place_of_segment(s.segment_id, tracks) == track)
                sure.append((said.confidence, spoken_us(own)[language]))
        return language, weighted_confidence(sure)
