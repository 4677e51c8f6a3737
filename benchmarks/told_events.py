"""The events that clients were told of live meetings, compared with those that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from meetra.v1 import live_pb2 as pb

from meetra_client import Event, Turn, TurnState

# A meeting that is over keeps the last event of each segment alone. Who compares needs the others too.
_KEEP = """
CREATE TABLE IF NOT EXISTS superseded_events (meeting_id uuid, event_seq bigint, payload bytea);
CREATE OR REPLACE FUNCTION keep_superseded_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$BEGIN
    INSERT INTO public.superseded_events VALUES (old.meeting_id, old.event_seq, old.payload);
    RETURN old;
END$$;
CREATE OR REPLACE TRIGGER keep_superseded BEFORE DELETE ON live_events
    FOR EACH ROW EXECUTE FUNCTION keep_superseded_event();
"""
_STORED = """
SELECT event_seq, payload FROM live_events WHERE meeting_id = $1
UNION ALL SELECT event_seq, payload FROM superseded_events WHERE meeting_id = $1
"""


async def keep_superseded_events(connection: asyncpg.Connection[Any]) -> None:
    """Keep the events that are deleted at the end of a meeting, from now on; as the owner of the tables."""
    await connection.execute(_KEEP)


async def stored_events(connection: asyncpg.Connection[Any], session_id: str) -> dict[int, bytes]:
    """Return every event that was ever stored of a meeting, by number; see ``keep_superseded_events``."""
    return dict(await connection.fetch(_STORED, session_id))


def wrong_events(told: Sequence[Event], stored: Mapping[int, bytes]) -> int:
    """Return how many events were told under a number told before, or are not stored as they were told."""
    numbers = [event.event_seq for event in told]
    return len(numbers) - len(set(numbers)) + sum(not _is_stored(event, stored) for event in told)


def _is_stored(event: Event, stored: Mapping[int, bytes]) -> bool:
    if event.event_seq not in stored:
        return False
    raw = pb.LiveEvent()
    raw.CopyFrom(event.raw)
    # Not of the event, but of who reads it when.
    raw.left_out = 0
    return raw == pb.LiveEvent.FromString(stored[event.event_seq])


def final_turns(told: Sequence[Event]) -> list[tuple[Any, ...]]:
    """Return the turns as a client has them in the end: start, end, speaker's number by first speech, text.

    Ids of segments are not among them: who speaks on after a pause of the network gets a new one (live.proto), so they
    differ between meetings of the same audio.
    """
    latest = {event.segment_id: event for event in told if isinstance(event, Turn)}
    kept = sorted(
        (turn for turn in latest.values() if turn.state is TurnState.FINAL),
        key=lambda turn: (turn.start_ms, turn.end_ms, turn.text),
    )
    speakers: dict[str, int] = {}
    for turn in kept:
        speakers.setdefault(turn.speaker_id, len(speakers) + 1)
    return [(turn.start_ms, turn.end_ms, speakers[turn.speaker_id], turn.text) for turn in kept]
