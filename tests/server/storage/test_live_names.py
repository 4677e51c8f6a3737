"""Names given to speakers of running live meetings, in the database."""

from __future__ import annotations

from functools import partial

from meetra.v1 import live_pb2 as pb

from server.storage import live, live_names
from server.storage.live import LiveRow, NewEvent
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from tests.server.storage.live_rows import opened, run


async def told(database: Database, row: LiveRow, *labels: int) -> None:
    """Turns of these speakers are published."""
    events = [
        NewEvent(
            number,
            number,
            pb.LiveEvent(
                turn=pb.LiveTurn(segment_id=number, speaker_id=str(speaker_id(row.meeting_id, label)))
            ).SerializeToString(),
        )
        for number, label in enumerate(labels, start=1)
    ]
    append = partial(live.append_events, meeting_id=row.meeting_id, fence=row.fence, events=events)
    await run(database, row, append)


async def test_a_speaker_that_was_told_is_found_by_id_and_no_other(owner: Database, database: Database) -> None:
    row, other = await opened(owner, database), await opened(owner, database, "Other")
    await told(database, row, 1, 3)

    async def found(of: LiveRow, label: int, file_hash: str | None = None) -> live_names.LiveSpeaker | None:
        find = partial(live_names.find, organization_id=of.organization_id, id_=speaker_id(row.meeting_id, label))
        return await run(database, of, partial(find, file_hash=file_hash))

    assert await found(row, 3) == live_names.LiveSpeaker(row.meeting_id, 3)
    assert await found(row, 3, row.file_hash) == live_names.LiveSpeaker(row.meeting_id, 3)
    assert await found(row, 3, "0" * 64) is None
    assert await found(row, 2) is None
    assert await found(row, 999) is None
    assert await found(other, 3) is None


async def test_names_are_kept_until_the_speakers_of_the_finished_meeting_are_stored(
    owner: Database, database: Database
) -> None:
    row = await opened(owner, database)
    speaker = live_names.LiveSpeaker(row.meeting_id, 2)
    for alias in ("An", "Ann"):
        assert await run(database, row, partial(live_names.give, speaker=speaker, alias=alias))
    given = partial(live_names.given, meeting_ids=[row.meeting_id])
    assert await run(database, row, given) == {row.meeting_id: {2: "Ann"}}
    await run(database, row, partial(live.finish, row=row, size_bytes=1, lease_s=None))
    assert not await run(database, row, lambda c: live_names.give(c, speaker, "Late"))
    assert await run(database, row, given) == {row.meeting_id: {2: "Ann"}}
    await run(database, row, lambda c: live_names.forget(c, row.meeting_id))
    assert await run(database, row, given) == {}


async def test_only_the_last_turn_of_a_segment_counts(owner: Database, database: Database) -> None:
    row = await opened(owner, database)
    events = [
        NewEvent(number, segment, payload) for number, segment, payload in ((1, 4, b"a"), (2, None, b"b"), (3, 4, b"c"))
    ]
    append = partial(live.append_events, meeting_id=row.meeting_id, fence=row.fence, events=events)
    await run(database, row, append)
    assert await run(database, row, lambda c: live_names.last_turns(c, row.meeting_id)) == [b"c"]
