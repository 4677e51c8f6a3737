"""The language of each track of a live meeting, and which of them clients already know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from meetra.v1 import live_pb2 as pb

from server.conversation import (
    Segment,
    most_spoken_language,
    segment_track_index,
    speech_us_by_language,
    weighted_confidence,
)
from server.live.config import MAX_TRACKS, LiveConfig


class LiveLanguages:
    """Track the languages of a meeting's tracks; report each one when it becomes known and when it changes."""

    def __init__(self, config: LiveConfig) -> None:
        self._config = config
        self._current: dict[int, pb.LiveLanguage] = {}
        self._published: dict[int, str] = {}

    def update(self, track: int, language: str, confidence: float | None) -> None:
        """Record the language the engine reports for a track; empty while it is unknown.

        Args:
            track: index in the config's tracks.
            language: BCP 47 primary tag.
            confidence: 0..1, None where the engine gives none.
        """
        if language:
            live_track = self._config.tracks[track]
            self._current[track] = pb.LiveLanguage(
                track_id=live_track.track_id, language=language, confidence=confidence, channel=live_track.channel
            )

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore the published languages from stored events, after a restart or a change of holder."""
        for event in events:
            if event.WhichOneof("event") == "language":
                reported = event.language
                track = self._config.track_index(reported.track_id, reported.channel)
                self._current[track] = reported
                self._published[track] = reported.language

    def changes(self, ignored: Collection[int]) -> list[pb.LiveEvent]:
        """Return events for the changes since the last call, without ``ignored`` tracks, and mark them as published."""
        changed = {
            track: reported
            for track, reported in self._current.items()
            if reported.language != self._published.get(track, "")
        }
        changed = {track: reported for track, reported in changed.items() if track not in ignored}
        self._published.update((track, reported.language) for track, reported in changed.items())
        return [pb.LiveEvent(language=reported) for reported in changed.values()]

    def most_spoken(self, segments: Sequence[Segment]) -> tuple[str, float | None]:
        """Return the language with the most speech, and the engine's confidence in it, 0..1 or None."""
        language = most_spoken_language(speech_us_by_language(segments))
        confidences = []
        for track, reported in self._current.items():
            if reported.language == language and reported.HasField("confidence"):
                own = (s for s in segments if segment_track_index(s.segment_id, MAX_TRACKS) == track)
                confidences.append((reported.confidence, speech_us_by_language(own)[language]))
        return language, weighted_confidence(confidences)
