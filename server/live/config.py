"""What a live meeting is: its tracks, and how the speakers on them are numbered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from server.audio import Encoding, TrackFormat
from server.meetings import MAX_KEY_TERM, distinct


class TrackKind(StrEnum):
    """Whose voice a track carries."""

    MIXED = "mixed"
    PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Track:
    """What is heard by itself: a source of audio, or one channel of it."""

    track_id: str
    """Of the source; the channels of one share it."""
    kind: TrackKind
    participant_name: str
    """Empty where it is not known, and for MIXED tracks."""
    format: TrackFormat
    start_us: int
    """When it begins, from the start of the meeting."""
    channel: int = 0
    """Which channel of its source it is, from 1; 0: all of them, heard together."""

    @property
    def key(self) -> str:
        """Names it within the meeting."""
        return f"{self.track_id}#{self.channel}" if self.channel else self.track_id

    @property
    def called(self) -> str:
        """What people call it."""
        return f"track {self.track_id}, channel {self.channel}" if self.channel else f"track {self.track_id}"


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """A checked config."""

    name: str
    held_on: str | None
    tracks: tuple[Track, ...]
    n_speakers: int | None
    """Of the MIXED tracks, where it is known."""
    language: str
    insights_period_s: int
    key_terms: tuple[str, ...] = ()
    """As they were given."""

    @property
    def sources(self) -> tuple[Track, ...]:
        """The first track of each source of audio, in their order: what is sent, logged and acknowledged at once."""
        found: dict[str, Track] = {}
        for track in self.tracks:
            found.setdefault(track.track_id, track)
        return tuple(found.values())

    def source_of(self, track: int) -> int:
        """Which of the sources carries a track."""
        ids = dict.fromkeys(one.track_id for one in self.tracks)
        return list(ids).index(self.tracks[track].track_id)

    def place_of(self, track_id: str, channel: int) -> int:
        """Which track an event was of."""
        return next(
            place for place, one in enumerate(self.tracks) if (one.track_id, one.channel) == (track_id, channel)
        )

    def to_document(self) -> dict[str, Any]:
        """A JSON-able form; ``from_document`` is its inverse."""
        return {**asdict(self), "tracks": [asdict(track) for track in self.tracks]}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> LiveConfig:
        """Reads what ``to_document`` wrote."""
        tracks = tuple(
            Track(
                **{
                    **track,
                    "kind": TrackKind(track["kind"]),
                    "format": TrackFormat(**{**track["format"], "encoding": Encoding(track["format"]["encoding"])}),
                }
            )
            for track in document["tracks"]
        )
        # Meetings that were opened before there were key terms have none.
        return cls(**{**document, "tracks": tracks, "key_terms": tuple(document.get("key_terms", ()))})

    def speaker_number(self, track: int, label: int) -> int:
        """The meeting's number of a speaker whom the engine calls ``label`` (from 1) on a track.

        Participants come first, in the order of their tracks; then the voices of the MIXED
        tracks. A meeting of one MIXED track has the engine's own numbers.
        """
        kinds = [t.kind for t in self.tracks]
        if kinds[track] is TrackKind.PARTICIPANT:
            return 1 + kinds[:track].count(TrackKind.PARTICIPANT)
        place, mixed = kinds[:track].count(TrackKind.MIXED), kinds.count(TrackKind.MIXED)
        return kinds.count(TrackKind.PARTICIPANT) + (label - 1) * mixed + place + 1

    def expected_speakers(self, track: int) -> int | None:
        """How many people speak on a track, where it is known."""
        if self.tracks[track].kind is TrackKind.PARTICIPANT:
            return 1
        only = [t.kind for t in self.tracks].count(TrackKind.MIXED) == 1
        return self.n_speakers if only else None

    def session_terms(self) -> tuple[str, ...]:
        """What may be said on any track: the participants' names before the terms that were given."""
        names = (track.participant_name for track in self.tracks)
        # A name that is longer than a term may be is hardly ever said as it is written.
        return distinct([*(name for name in names if 0 < len(name) <= MAX_KEY_TERM), *self.key_terms])

    def participant_names(self) -> dict[int, str]:
        """Names of the participants by speaker number, where they are known."""
        return {
            self.speaker_number(place, 1): track.participant_name
            for place, track in enumerate(self.tracks)
            if track.participant_name
        }
