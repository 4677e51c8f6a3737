"""Names given by hand while a live meeting runs, with the speech of those who were named."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.analysis import GivenName
from server.conversation import Interval
from server.storage import Connection, live_names, speaker_id


async def find_given_names(connection: Connection, meeting_id: UUID) -> dict[int, str]:
    """Return the names of one meeting's speakers, by number."""
    return (await live_names.given(connection, [meeting_id])).get(meeting_id, {})


async def load_given_names(connection: Connection, meeting_id: UUID) -> tuple[GivenName, ...]:
    """Return the names, each with the segments that clients have of the speaker; none without a name."""
    names = await find_given_names(connection, meeting_id)
    if not names:
        return ()
    labels = {str(speaker_id(meeting_id, label)): label for label in names}
    speech: defaultdict[int, list[Interval]] = defaultdict(list)
    for payload in await live_names.last_turns(connection, meeting_id):
        turn = pb.LiveEvent.FromString(payload).turn
        if turn.state != pb.LIVE_TURN_STATE_RETRACTED and turn.speaker_id in labels:
            speech[labels[turn.speaker_id]].append(Interval(turn.start_ms * 1000, turn.end_ms * 1000))
    return tuple(GivenName(name, tuple(speech[label])) for label, name in sorted(names.items()))
