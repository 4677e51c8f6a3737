"""From events to a Conversation.

The fold does not care how often an event came, nor in which order: the highest revision of
a segment is the segment. So a replay after a crash changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from server.conversation.conversation import UNKNOWN_SPEAKER, Conversation, Engine, Interval, Segment
from server.conversation.languages import most_spoken, spoken_us


class TurnState(IntEnum):
    """How settled a segment is."""

    PARTIAL = 1
    STABLE = 2
    FINAL = 3
    RETRACTED = 4
    """It exists no more; such a segment is no part of a conversation."""


@dataclass(frozen=True, slots=True)
class ReadyEvent:
    """A session opened on an engine."""

    engine: Engine


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """A segment as it is known now."""

    revision: int
    state: TurnState
    segment: Segment


@dataclass(frozen=True, slots=True)
class FinishedEvent:
    """The session has said everything."""

    duration_us: int
    noise_dbfs: float | None = None
    music: tuple[Interval, ...] = ()
    language: str = ""
    """Spoken for most of the session, as BCP 47 primary tag; empty where it is not known."""
    language_confidence: float | None = None
    """How sure the engine is of it, 0..1; None where it was given or is not known."""


Event = ReadyEvent | TurnEvent | FinishedEvent


class IncompleteEvents(ValueError):
    """The events do not hold a whole session: it never opened, or never finished."""


def fold(events: Iterable[Event]) -> Conversation:
    """The conversation that ``events`` describe.

    Segments that never got past PARTIAL or were retracted are left out: nothing stands behind them
    once the session is over. Speakers are those with a segment, in the order of their first speech. The
    language is the one in which most time is spoken.

    Raises:
        IncompleteEvents: without a ReadyEvent or a FinishedEvent.
    """
    engine: Engine | None = None
    finished: FinishedEvent | None = None
    latest: dict[int, TurnEvent] = {}
    for event in events:
        match event:
            case ReadyEvent():
                engine = event.engine
            case FinishedEvent():
                finished = event
            case TurnEvent():
                known = latest.get(event.segment.segment_id)
                if known is None or (event.revision, event.state) > (known.revision, known.state):
                    latest[event.segment.segment_id] = event
    if engine is None or finished is None:
        raise IncompleteEvents("the events hold no whole session: ready or finished is missing")
    segments = sorted(
        (event.segment for event in latest.values() if event.state in (TurnState.STABLE, TurnState.FINAL)),
        key=lambda segment: (segment.start_us, segment.end_us, segment.segment_id),
    )
    speakers = dict.fromkeys(s.speaker for s in segments if s.speaker != UNKNOWN_SPEAKER)
    language = most_spoken(spoken_us(segments))
    return Conversation(
        finished.duration_us,
        tuple(speakers),
        tuple(segments),
        engine,
        noise_dbfs=finished.noise_dbfs,
        music=finished.music,
        language=language,
        # The engine speaks of the language that it names, of no other.
        language_confidence=finished.language_confidence if language and language == finished.language else None,
    )
