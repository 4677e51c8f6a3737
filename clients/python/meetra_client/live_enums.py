"""The enums of live events, open for the values of a newer server. Each has all values of its enum in live.proto."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from meetra.v1 import live_pb2, rules_pb2


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
    CAPTURE_CLOCK = live_pb2.WARNING_CODE_CAPTURE_CLOCK
    SEVERAL_VOICES = live_pb2.WARNING_CODE_SEVERAL_VOICES
    STORE_BEHIND = live_pb2.WARNING_CODE_STORE_BEHIND


class WordStability(OpenEnum):
    """Whether the recogniser may still change a word; see `LiveWordStability`."""

    UNSPECIFIED = live_pb2.LIVE_WORD_STABILITY_UNSPECIFIED
    PROVISIONAL = live_pb2.LIVE_WORD_STABILITY_PROVISIONAL
    FINAL = live_pb2.LIVE_WORD_STABILITY_FINAL


class TurnEndReason(OpenEnum):
    """Why somebody has stopped speaking; see `TurnEndReason` of live.proto."""

    UNSPECIFIED = live_pb2.TURN_END_REASON_UNSPECIFIED
    PAUSE = live_pb2.TURN_END_REASON_PAUSE
    CHANGE = live_pb2.TURN_END_REASON_CHANGE
    INTERRUPTION = live_pb2.TURN_END_REASON_INTERRUPTION
    END = live_pb2.TURN_END_REASON_END


class TrackChangeKind(OpenEnum):
    """What happened to a track; see `TrackChange` of live.proto."""

    UNSPECIFIED = live_pb2.TRACK_CHANGE_UNSPECIFIED
    ADDED = live_pb2.TRACK_CHANGE_ADDED
    ENDED = live_pb2.TRACK_CHANGE_ENDED
    RENAMED = live_pb2.TRACK_CHANGE_RENAMED


class AlertState(OpenEnum):
    """How settled an alert is; see `LiveAlertState`."""

    UNSPECIFIED = rules_pb2.LIVE_ALERT_STATE_UNSPECIFIED
    PROVISIONAL = rules_pb2.LIVE_ALERT_STATE_PROVISIONAL
    """A phrase was found in words that may still change."""
    FINAL = rules_pb2.LIVE_ALERT_STATE_FINAL
    WITHDRAWN = rules_pb2.LIVE_ALERT_STATE_WITHDRAWN
    """The phrase was not said: the final words are others."""


class AlertKind(OpenEnum):
    """The kind of a rule; see `LiveRuleKind`."""

    UNSPECIFIED = rules_pb2.LIVE_RULE_KIND_UNSPECIFIED
    MONOLOGUE = rules_pb2.LIVE_RULE_KIND_MONOLOGUE
    NOT_HEARD = rules_pb2.LIVE_RULE_KIND_NOT_HEARD
    PHRASE = rules_pb2.LIVE_RULE_KIND_PHRASE
    SENTIMENT = rules_pb2.LIVE_RULE_KIND_SENTIMENT
    SPEAKING_SHARE = rules_pb2.LIVE_RULE_KIND_SPEAKING_SHARE
    SILENCE = rules_pb2.LIVE_RULE_KIND_SILENCE


class Kind(OpenEnum):
    """Whose voices a track carries."""

    UNSPECIFIED = live_pb2.TRACK_KIND_UNSPECIFIED
    MIXED = live_pb2.TRACK_KIND_MIXED
    """Several people, whom the server distinguishes by voice."""
    PARTICIPANT = live_pb2.TRACK_KIND_PARTICIPANT
    """One known person."""
