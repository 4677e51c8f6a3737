"""The fold from events to a Conversation.

Duplicates and order of events do not matter: the highest revision of a segment wins. So replaying events after a crash
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from server.conversation.conversation import (
    Conversation,
    EngineCapabilities,
    Interval,
    Segment,
    speakers_by_first_speech,
)
from server.conversation.languages import most_spoken_language, speech_us_by_language


class TurnState(IntEnum):
    """How settled a segment is."""

    PARTIAL = 1
    STABLE = 2
    FINAL = 3
    RETRACTED = 4
    """The segment is withdrawn; it is not part of the conversation."""


@dataclass(frozen=True, slots=True)
class ReadyEvent:
    """A session opened on an engine."""

    engine: EngineCapabilities


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """The current state of a segment."""

    revision: int
    state: TurnState
    segment: Segment


@dataclass(frozen=True, slots=True)
class FinishedEvent:
    """The session is complete."""

    duration_us: int
    noise_dbfs: float | None = None
    music: tuple[Interval, ...] = ()
    language: str = ""
    """BCP 47 primary tag of the session's most spoken language; empty if unknown."""
    language_confidence: float | None = None
    """The engine's confidence in it, 0..1; None if it was stated or is unknown."""


Event = ReadyEvent | TurnEvent | FinishedEvent


class IncompleteSession(ValueError):
    """The events do not form a whole session: it never opened or never finished."""


def fold(events: Iterable[Event]) -> Conversation:
    """Fold events into a conversation.

    Only STABLE and FINAL segments count: partial ones are unconfirmed when the session ends. Speakers are ordered by
    first speech. The language is the one with the most speaking time.

    Raises:
        IncompleteSession: without a ReadyEvent or a FinishedEvent.
    """
    engine: EngineCapabilities | None = None
    finished: FinishedEvent | None = None
    latest: dict[int, TurnEvent] = {}
    for event in events:
        match event:
            case ReadyEvent():
                engine = event.engine
            case FinishedEvent():
                finished = event
            case TurnEvent():
                previous = latest.get(event.segment.segment_id)
                if previous is None or (event.revision, event.state) > (previous.revision, previous.state):
                    latest[event.segment.segment_id] = event
    if engine is None or finished is None:
        raise IncompleteSession("the events are not a complete session: ready or finished is missing")
    segments = sorted(
        (event.segment for event in latest.values() if event.state in (TurnState.STABLE, TurnState.FINAL)),
        key=lambda segment: (segment.start_us, segment.end_us, segment.segment_id),
    )
    language = most_spoken_language(speech_us_by_language(segments))
    return Conversation(
        finished.duration_us,
        speakers_by_first_speech(segments),
        tuple(segments),
        engine,
        noise_dbfs=finished.noise_dbfs,
        music=finished.music,
        language=language,
        # The engine's confidence applies only to the language that it reported.
        language_confidence=finished.language_confidence if language and language == finished.language else None,
    )
