"""Events of a live meeting as values for ``match``: one class per kind of `LiveEvent`, with the fields of its message.

A new kind is one class here, with ``KIND`` as the field of `LiveEvent` is called; its fields are filled by name.
Fields that the server leaves out are None, repeated fields tuples. Times are milliseconds from the meeting's start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from meetra.v1 import live_pb2

from meetra_client.live_enums import (
    AlertKind,
    AlertState,
    Kind,
    RevisionKind,
    TrackChangeKind,
    TurnEndReason,
    TurnState,
    WarningCode,
    WordStability,
)


@dataclass(frozen=True, kw_only=True)
class Word:
    """One recognised word."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None
    """0..1; None where the recogniser reports none."""
    stability: WordStability = WordStability.UNSPECIFIED
    """Whether the recogniser may still change it."""


@dataclass(frozen=True, kw_only=True)
class SpeakerShare:
    """A speaker of the meeting so far."""

    speaker_id: str
    alias: str
    speaking_percentage: float
    """Share of all speaking time, percent."""
    speaking_ms: int


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of a live meeting; what all kinds have."""

    KIND: ClassVar[str] = ""
    """The field of `LiveEvent` that carries it."""
    event_seq: int
    """Its number within the meeting, from 1."""
    left_out: int
    """How many events directly before it are no longer stored, because later ones replaced them."""
    raw: live_pb2.LiveEvent = field(repr=False, compare=False)
    """The message as it came, with fields that this class may not know."""


@dataclass(frozen=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a kind that only newer clients know."""


@dataclass(frozen=True, kw_only=True)
class Turn(Event):
    """A segment of one speaker's speech; a higher ``revision`` of the same ``segment_id`` replaces the lower one."""

    KIND = "turn"
    segment_id: int
    revision: int
    state: TurnState
    speaker_id: str
    """A UUID; the nil UUID while the speaker is unknown."""
    alias: str
    """The speaker's name as currently known."""
    track_id: str
    channel: int
    """The channel of the track, from 1; 0 where channels are downmixed."""
    start_ms: int
    end_ms: int
    words: tuple[Word, ...]
    language: str = ""
    """BCP 47; empty without words, or where the recogniser does not say."""

    @property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, kw_only=True)
class SpeakerRevision(Event):
    """Segments have changed speaker; each is also told as a Turn with a higher revision."""

    KIND = "speaker_revision"
    from_speaker_id: str
    to_speaker_id: str
    kind: RevisionKind
    segment_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Watermark(Event):
    """How much is final; neither number ever decreases."""

    KIND = "watermark"
    final_through_ms: int
    """Everything that ends at or before this moment is final, speakers included."""
    words_final_through_ms: int
    """Words that end at or before this moment are final on all tracks."""


@dataclass(frozen=True, kw_only=True)
class Insights(Event):
    """Scores of the conversation so far, by the definitions of the finished meeting."""

    KIND = "insights"
    through_ms: int
    balance_score: float
    interaction_score: float
    energy_score: float
    sentiment_score: int | None = None
    """None where nothing was said in English."""
    speakers: tuple[SpeakerShare, ...]
    floor_speaker_id: str
    """Who holds the floor; empty before any turn."""
    interruptions: int | None = None
    """None where the engine cannot detect them."""


@dataclass(frozen=True, kw_only=True)
class LiveWarning(Event):
    """A warning; never ends the meeting. Not named as the message is, `Warning`, which is Python's own."""

    KIND = "warning"
    code: WarningCode
    track_id: str
    """Empty where it concerns the meeting."""
    channel: int
    text: str
    """One sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Language(Event):
    """The language of a track: when it becomes known, and when it changes."""

    KIND = "language"
    track_id: str
    channel: int
    language: str
    """BCP 47."""
    confidence: float | None = None
    """0..1; None where the language was given."""


@dataclass(frozen=True, kw_only=True)
class TurnEnd(Event):
    """Somebody has stopped speaking."""

    KIND = "turn_end"
    segment_id: int
    speaker_id: str
    track_id: str
    channel: int
    end_ms: int
    reason: TurnEndReason
    next_speaker_id: str
    """Who speaks on, or interrupted; empty otherwise."""
    pause_ms: int
    """Silence of the speaker that was heard when this was told."""
    back_channel: bool
    """What was said took no turn (``mhm``)."""


@dataclass(frozen=True, kw_only=True)
class Pause(Event):
    """Nobody speaks: told when a pause is long enough, and again with its end."""

    KIND = "pause"
    start_ms: int
    end_ms: int | None = None
    """None while the pause lasts."""


@dataclass(frozen=True, kw_only=True)
class TrackState:
    """A track as it is."""

    track_id: str
    kind: Kind
    participant_name: str
    channel_names: tuple[str, ...]
    start_ms: int
    ended: bool


@dataclass(frozen=True, kw_only=True)
class TrackChange(Event):
    """A track was added, ended or renamed."""

    KIND = "track"
    change: TrackChangeKind
    track: TrackState


@dataclass(frozen=True, kw_only=True)
class SpeakerName(Event):
    """A speaker is called differently from now on, in all turns."""

    KIND = "speaker_name"
    speaker_id: str
    alias: str


@dataclass(frozen=True, kw_only=True)
class Clock(Event):
    """The clock of a track drifts against the meeting's; times are corrected."""

    KIND = "clock"
    track_id: str
    drift_ppm: int
    corrected_ms: int
    """Silence inserted so far to make up for it, less what was left out."""


@dataclass(frozen=True, kw_only=True)
class Alert(Event):
    """What a rule watches for was found; a later event of the same ``alert_id`` settles a provisional one."""

    KIND = "alert"
    alert_id: int
    state: AlertState
    rule_id: str
    kind: AlertKind
    speaker_id: str
    """Empty where it is about the meeting."""
    alias: str
    track_id: str
    channel: int
    start_ms: int
    end_ms: int
    value: float
    """Seconds, a score or percent, as the kind has it; 0 for a phrase."""
    phrase: str
    segment_id: int
    """With the first word of a phrase; 0 for other kinds."""
    text: str
    """One sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """The last event: the meeting is ready, or failed."""

    KIND = "finished"
    file_hash: str
    """Identifies the meeting in every other call."""
    meeting_id: str
    status: str
    """``ready`` or ``failed``."""
    message: str
    """One sentence for people; for a failed meeting the reason."""
