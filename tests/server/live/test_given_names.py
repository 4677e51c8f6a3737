"""Names given while a meeting runs, with the speech that was told as theirs."""

from __future__ import annotations

from functools import partial

from meetra.v1 import live_pb2 as pb

from server.conversation import Interval
from server.live.event_log import EventLog
from server.live.given_names import load_given_names
from server.storage import live_names
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from tests.server.storage.live_rows import opened, run

STABLE, RETRACTED = pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_RETRACTED


async def test_a_name_comes_with_the_last_state_of_the_segments_of_its_speaker(
    owner: Database, database: Database
) -> None:
    row = await opened(owner, database)

    def turn(id_: int, label: int, start_ms: int, end_ms: int, state: pb.LiveTurnState.ValueType) -> pb.LiveEvent:
        speaker = str(speaker_id(row.meeting_id, label))
        told = pb.LiveTurn(segment_id=id_, speaker_id=speaker, start_ms=start_ms, end_ms=end_ms, state=state)
        return pb.LiveEvent(turn=told)

    await EventLog(database, row, 0).append(
        [
            turn(1, 1, 0, 1000, STABLE),
            turn(2, 2, 1000, 2000, STABLE),
            turn(3, 2, 2000, 3000, STABLE),
            turn(4, 2, 5000, 6000, STABLE),
            turn(1, 2, 0, 900, STABLE),
            turn(2, 1, 1000, 2000, STABLE),
            turn(4, 2, 5000, 6000, RETRACTED),
        ]
    )
    load = partial(load_given_names, meeting_id=row.meeting_id)
    assert await run(database, row, load) == ()
    for label, alias in ((2, "Ann"), (9, "Ghost")):
        speaker = live_names.LiveSpeaker(row.meeting_id, label)
        await run(database, row, partial(live_names.give, speaker=speaker, alias=alias))
    ann, ghost = await run(database, row, load)
    assert (ann.name, ann.speech) == ("Ann", (Interval(0, 900_000), Interval(2_000_000, 3_000_000)))
    assert (ghost.name, ghost.speech) == ("Ghost", ())
