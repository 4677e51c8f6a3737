"""Events of a live meeting as values for ``match``: one class per kind of `LiveEvent`, with the fields of its message.

A new kind is one class here, with ``KIND`` as the field of `LiveEvent` is called; its fields are filled by name.
Fields that the server leaves out are None, repeated fields tuples. Times are milliseconds from the meeting's start.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from enum import IntEnum
from functools import cache
from types import NoneType
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

from google.protobuf.message import Message
from meetra.v1 import live_pb2


class OpenEnum(IntEnum):
    """An enum that also takes the values of a newer server, as members named ``UNKNOWN_<number>``."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = f"UNKNOWN_{value}", value
        return member


class TurnState(OpenEnum):
    """How settled a turn is; see `LiveTurnState`."""

    UNSPECIFIED = live_pb2.LIVE_TURN_STATE_UNSPECIFIED
    PARTIAL = live_pb2.LIVE_TURN_STATE_PARTIAL
    """Still growing, or some of its words are unknown yet."""
    STABLE = live_pb2.LIVE_TURN_STATE_STABLE
    """It has ended; words and speaker may be revised."""
    FINAL = live_pb2.LIVE_TURN_STATE_FINAL
    """Will not change again."""
    RETRACTED = live_pb2.LIVE_TURN_STATE_RETRACTED
    """The segment no longer exists."""


class RevisionKind(OpenEnum):
    """What happened to a speaker; see `RevisionKind` of live.proto."""

    UNSPECIFIED = live_pb2.REVISION_KIND_UNSPECIFIED
    MERGE = live_pb2.REVISION_KIND_MERGE
    SPLIT = live_pb2.REVISION_KIND_SPLIT
    REASSIGN = live_pb2.REVISION_KIND_REASSIGN


class WarningCode(OpenEnum):
    """The kind of a warning; see `WarningCode` of live.proto."""

    UNSPECIFIED = live_pb2.WARNING_CODE_UNSPECIFIED
    CLIPPING = live_pb2.WARNING_CODE_CLIPPING
    SILENCE = live_pb2.WARNING_CODE_SILENCE
    LAG = live_pb2.WARNING_CODE_LAG
    TOO_MANY_SPEAKERS = live_pb2.WARNING_CODE_TOO_MANY_SPEAKERS
    DUPLICATE_TRACK = live_pb2.WARNING_CODE_DUPLICATE_TRACK
    UNDECODABLE = live_pb2.WARNING_CODE_UNDECODABLE
    LANGUAGE_UNKNOWN = live_pb2.WARNING_CODE_LANGUAGE_UNKNOWN
    LATE_AUDIO = live_pb2.WARNING_CODE_LATE_AUDIO
    ENDING = live_pb2.WARNING_CODE_ENDING


@dataclass(frozen=True, kw_only=True)
class Word:
    """One recognised word."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None
    """0..1; None where the recogniser reports none."""


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


EVENT_KINDS = {kind.KIND: kind for kind in Event.__subclasses__() if kind.KIND}
"""The class of each kind."""
_OF_ALL = frozenset(each.name for each in fields(Event))


def event_from(raw: live_pb2.LiveEvent) -> Event:
    """Return the event of a message; UnknownEvent where its kind is newer than this client."""
    name = raw.WhichOneof("event")
    kind = EVENT_KINDS.get(name, UnknownEvent) if name else UnknownEvent
    values = _values(kind, getattr(raw, name)) if name and kind is not UnknownEvent else {}
    return kind(event_seq=raw.event_seq, left_out=raw.left_out, raw=raw, **values)


def _values(kind: type[Any], message: Message) -> dict[str, Any]:
    """Return the values of a class's own fields, from the fields of the same names."""
    values: dict[str, Any] = {}
    for name, hint in _own_fields(kind):  # type: ignore[arg-type]  # classes are hashable
        value = getattr(message, name)
        if message.DESCRIPTOR.fields_by_name[name].has_presence and not message.HasField(name):
            values[name] = None
        elif get_origin(hint) is tuple:
            values[name] = tuple(_value(get_args(hint)[0], each) for each in value)
        else:
            values[name] = _value(hint, value)
    return values


def _value(kind: type[Any], value: Any) -> Any:
    if is_dataclass(kind):
        return kind(**_values(kind, value))
    return kind(value) if issubclass(kind, OpenEnum) else value


@cache
def _own_fields(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Return the name of each field that is not of all events, and its type without None."""
    hints = get_type_hints(kind)
    common = _OF_ALL if issubclass(kind, Event) else frozenset[str]()
    return tuple((each.name, _without_none(hints[each.name])) for each in fields(kind) if each.name not in common)


def _without_none(hint: Any) -> Any:
    arguments = get_args(hint)
    return next(each for each in arguments if each is not NoneType) if NoneType in arguments else hint
