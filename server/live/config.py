"""The checked config of a live meeting: its tracks and the numbering of their speakers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from server.audio import Encoding, TrackFormat
from server.consent import Consent
from server.conversation import RedactionKind, parse_redaction_kinds
from server.live.rules import LiveRule, rules_from_documents
from server.meetings import MAX_KEY_TERM, deduplicate_terms


class TrackKind(StrEnum):
    """Whose voices a track carries."""

    MIXED = "mixed"
    PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class LiveTrack:
    """One audio stream that is analysed on its own: a whole source, or one channel of it."""

    track_id: str
    """Id of the source; channels of one source share it."""
    kind: TrackKind
    participant_name: str
    """Empty where it is unknown, and for MIXED tracks."""
    format: TrackFormat
    start_us: int
    """Start of the track, microseconds from the start of the meeting."""
    channel: int = 0
    """Channel of the source, from 1; 0: all channels mixed down."""

    @property
    def key(self) -> str:
        """Unique key of the track within the meeting."""
        return f"{self.track_id}#{self.channel}" if self.channel else self.track_id

    @property
    def display_name(self) -> str:
        """Label of the track in texts for people."""
        return f"track {self.track_id}, channel {self.channel}" if self.channel else f"track {self.track_id}"


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """The validated config of a live meeting."""

    name: str
    held_on: str | None
    tracks: tuple[LiveTrack, ...]
    n_speakers: int | None
    """Number of people on the MIXED tracks; None where it is unknown."""
    language: str
    insights_period_s: int
    key_terms: tuple[str, ...] = ()
    """Key terms of the request, without the participants' names."""
    consents: tuple[Consent, ...] = ()
    """Of the request. They are noted with the meeting, and not part of the stored config."""
    redact: str = ""
    """Kinds to redact, separated by commas: the request's and the organization's."""
    rules: tuple[LiveRule, ...] = ()
    """What is told as an alert: the request's and the organization's rules."""

    @property
    def sources(self) -> tuple[LiveTrack, ...]:
        """The first track of each source, in config order: the unit that clients send, the log stores and acks name."""
        sources: dict[str, LiveTrack] = {}
        for track in self.tracks:
            sources.setdefault(track.track_id, track)
        return tuple(sources.values())

    def source_index(self, track: int) -> int:
        """Return the index in ``sources`` of the source that carries a track.

        Args:
            track: index in ``tracks``.
        """
        ids = dict.fromkeys(candidate.track_id for candidate in self.tracks)
        return list(ids).index(self.tracks[track].track_id)

    def track_index(self, track_id: str, channel: int) -> int:
        """Return the index in ``tracks`` of the track with this id and channel."""
        return next(
            index
            for index, candidate in enumerate(self.tracks)
            if (candidate.track_id, candidate.channel) == (track_id, channel)
        )

    @property
    def redacted_kinds(self) -> frozenset[RedactionKind]:
        """What is redacted."""
        return parse_redaction_kinds(self.redact)

    def to_document(self) -> dict[str, Any]:
        """Return the config without consents as JSON-compatible values; ``from_document`` is the inverse."""
        rules = [rule.to_document() for rule in self.rules]
        document = {**asdict(self), "tracks": [asdict(track) for track in self.tracks], "rules": rules}
        del document["consents"]
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> LiveConfig:
        """Rebuild a config from ``to_document``'s output."""
        tracks = tuple(
            LiveTrack(
                **{
                    **track,
                    "kind": TrackKind(track["kind"]),
                    "format": TrackFormat(**{**track["format"], "encoding": Encoding(track["format"]["encoding"])}),
                }
            )
            for track in document["tracks"]
        )
        # Meetings opened before key terms or rules existed have none stored.
        rules = rules_from_documents(document.get("rules", ()))
        key_terms = tuple(document.get("key_terms", ()))
        return cls(**{**document, "tracks": tracks, "key_terms": key_terms, "rules": rules})

    def speaker_number(self, track: int, label: int) -> int:
        """Return the meeting-wide number of a speaker.

        Participants come first, in track order, then the voices of the MIXED tracks, interleaved. With a single MIXED
        track the engine's labels are kept.

        Args:
            track: index in ``tracks``.
            label: the engine's speaker label on that track, from 1.
        """
        kinds = [t.kind for t in self.tracks]
        if kinds[track] is TrackKind.PARTICIPANT:
            return 1 + kinds[:track].count(TrackKind.PARTICIPANT)
        mixed_before, mixed = kinds[:track].count(TrackKind.MIXED), kinds.count(TrackKind.MIXED)
        return kinds.count(TrackKind.PARTICIPANT) + (label - 1) * mixed + mixed_before + 1

    def participant_track(self, speaker: int) -> LiveTrack | None:
        """Return the track of a participant by their meeting-wide number; None for voices of MIXED tracks."""
        people = ((i, track) for i, track in enumerate(self.tracks) if track.kind is TrackKind.PARTICIPANT)
        return next((track for i, track in people if self.speaker_number(i, 1) == speaker), None)

    def expected_speakers(self, track: int) -> int | None:
        """Return the number of speakers on a track, None where it is unknown."""
        if self.tracks[track].kind is TrackKind.PARTICIPANT:
            return 1
        is_only_mixed = [t.kind for t in self.tracks].count(TrackKind.MIXED) == 1
        return self.n_speakers if is_only_mixed else None

    def recognition_terms(self) -> tuple[str, ...]:
        """Return the terms to bias recognition with: participant names, then the config's key terms."""
        names = (track.participant_name for track in self.tracks)
        # A name over the term limit is hardly ever spoken in full.
        return deduplicate_terms([*(name for name in names if 0 < len(name) <= MAX_KEY_TERM), *self.key_terms])

    def participant_names(self) -> dict[int, str]:
        """Return the known participant names by speaker number."""
        return {
            self.speaker_number(index, 1): track.participant_name
            for index, track in enumerate(self.tracks)
            if track.participant_name
        }
