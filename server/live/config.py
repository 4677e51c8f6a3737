"""The checked config of a live meeting: its tracks, which may change while it runs, and their speakers' numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from server.audio import Encoding, TrackFormat
from server.consent import Consent
from server.conversation import RedactionKind, parse_redaction_kinds
from server.live.rules import LiveRule, rules_from_documents
from server.meetings import MAX_KEY_TERM, deduplicate_terms

# Tracks of a meeting in all, ended ones and each separate channel counted. Segment ids are unique across so many: they
# stay what they are when tracks are added.
MAX_TRACKS = 32
# Voices that a MIXED track may have: their numbers are kept for them.
MAX_VOICES = 64


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
    """Of the participant, or of a MIXED track's room; empty where it is unknown."""
    format: TrackFormat
    start_us: int
    """Start of the track, microseconds from the start of the meeting."""
    channel: int = 0
    """Channel of the source, from 1; 0: all channels mixed down."""
    joined: int = 0
    """0: the meeting was opened with it; 1, 2, 3, ...: it was added later, as the first, second, ... source."""
    ended: bool = False
    """Whether no more audio of it comes."""
    earlier_names: tuple[str, ...] = ()
    """Names before the current one, each once, the first one first."""

    @property
    def first_name(self) -> str:
        """The name that it had from its beginning."""
        return self.earlier_names[0] if self.earlier_names else self.participant_name

    @property
    def key(self) -> str:
        """Unique key of the track within the meeting."""
        return f"{self.track_id}#{self.channel}" if self.channel else self.track_id

    @property
    def display_name(self) -> str:
        """Label of the track in texts for people."""
        return f"track {self.track_id}, channel {self.channel}" if self.channel else f"track {self.track_id}"


@dataclass(slots=True)
class LiveConfig:
    """The validated config of a live meeting.

    Everything in the process that holds the meeting shares one, whose ``tracks`` alone change, by ``set_tracks``.
    """

    name: str
    held_on: str | None
    tracks: tuple[LiveTrack, ...]
    n_speakers: int | None
    """Number of people on the MIXED tracks that the meeting was opened with; None where it is unknown."""
    language: str
    insights_period_s: int
    key_terms: tuple[str, ...] = ()
    """Key terms of the request, without the participants' names."""
    consents: tuple[Consent, ...] = ()
    """Of the request. They are noted with the meeting, and not part of the stored config."""
    redact: str = ""
    """Kinds to redact, separated by commas: the request's and the organization's."""
    pause_s: int = 3
    """Silence of everybody that is told as a pause, seconds."""
    turn_pause_ms: int = 500
    """Silence of a speaker after which what they said has ended, milliseconds."""
    renames: int = 0
    """How often tracks were renamed."""

    def set_tracks(self, changed: LiveConfig) -> None:
        """Take the tracks of ``changed``, which has those of this config in their places, and maybe more after them."""
        self.tracks, self.renames = changed.tracks, changed.renames

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

    @property
    def hides_names(self) -> bool:
        """Whether participants are called by number, unless somebody names them by hand."""
        return RedactionKind.NAME in self.redacted_kinds

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
                    # Meetings opened before tracks could be renamed have none stored.
                    "earlier_names": tuple(track.get("earlier_names", ())),
                }
            )
            for track in document["tracks"]
        )
        # Meetings opened before key terms or rules existed have none stored.
        rules = rules_from_documents(document.get("rules", ()))
        key_terms = tuple(document.get("key_terms", ()))
        return cls(**{**document, "tracks": tracks, "key_terms": key_terms, "rules": rules})

    def speaker_number(self, track: int, label: int) -> int:
        """Return the meeting-wide number of a speaker, which stays when tracks are added.

        Participants come first, in track order, then the voices of the MIXED tracks, interleaved. With a single MIXED
        track the engine's labels are kept. Sources that were added later follow, each with its own participants or
        voices, after the numbers kept for voices before.

        Args:
            track: index in ``tracks``.
            label: the engine's speaker label on that track, from 1.
        """
        joined = self.tracks[track].joined
        before = [t.kind for t in self.tracks if t.joined < joined]
        taken = before.count(TrackKind.PARTICIPANT) + MAX_VOICES * before.count(TrackKind.MIXED)
        kinds = [t.kind if t.joined == joined else None for t in self.tracks]
        if kinds[track] is TrackKind.PARTICIPANT:
            return taken + 1 + kinds[:track].count(TrackKind.PARTICIPANT)
        mixed_before, mixed = kinds[:track].count(TrackKind.MIXED), kinds.count(TrackKind.MIXED)
        return taken + kinds.count(TrackKind.PARTICIPANT) + (label - 1) * mixed + mixed_before + 1

    def participant_track(self, speaker: int) -> LiveTrack | None:
        """Return the track of a participant by their meeting-wide number; None for voices of MIXED tracks."""
        people = ((i, track) for i, track in enumerate(self.tracks) if track.kind is TrackKind.PARTICIPANT)
        return next((track for i, track in people if self.speaker_number(i, 1) == speaker), None)

    def expected_speakers(self, track: int) -> int | None:
        """Return the number of speakers on a track, None where it is unknown."""
        if self.tracks[track].kind is TrackKind.PARTICIPANT:
            return 1
        opened_with = [t.kind for t in self.tracks if not t.joined]
        is_only_mixed = not self.tracks[track].joined and opened_with.count(TrackKind.MIXED) == 1
        return self.n_speakers if is_only_mixed else None

    def recognition_terms(self, track: int = 0) -> tuple[str, ...]:
        """Return the terms to bias recognition of a track with: names of participants, then the config's key terms.

        They are the same in every analysis: names of those who joined before the track or with it, as they were called
        first.

        Args:
            track: index in ``tracks``.
        """
        joined = self.tracks[track].joined if self.tracks else 0
        people = [t for t in self.tracks if t.kind is TrackKind.PARTICIPANT and t.joined <= joined]
        # A name over the term limit is hardly ever spoken in full.
        names = [t.first_name for t in people if 0 < len(t.first_name) <= MAX_KEY_TERM]
        return deduplicate_terms([*names, *self.key_terms])

    def participant_names(self) -> dict[int, str]:
        """Return the known participant names by speaker number."""
        return {
            self.speaker_number(index, 1): track.participant_name
            for index, track in enumerate(self.tracks)
            if track.participant_name and track.kind is TrackKind.PARTICIPANT
        }

    def room_names(self) -> dict[int, str]:
        """Return what the voices of rooms with a name are called, by speaker number: ``Room Berlin 2``."""
        return {
            self.speaker_number(index, label): f"{track.participant_name} {label}"
            for index, track in enumerate(self.tracks)
            if track.participant_name and track.kind is TrackKind.MIXED
            for label in range(1, MAX_VOICES + 1)
        }

    def all_participant_names(self) -> tuple[str, ...]:
        """Return every name that a participant has or had, each once."""
        people = [track for track in self.tracks if track.kind is TrackKind.PARTICIPANT]
        names = [name for track in people for name in (*track.earlier_names, track.participant_name) if name]
        return tuple(dict.fromkeys(names))
