"""Corrections of a finished meeting by hand, on a real database: applied, undone, and nobody else's."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from server.auth import Caller
from server.errors import BadRequest, MeetingNotFound, SpeakerNotFound, TranscriptDeleted
from server.insights import SHARES, compute_answers
from server.meetings import Corrections
from server.storage import insights, retention, speakers
from server.storage.pool import Database
from server.storage.speakers import SpeakerRow, speaker_id
from tests.server.callers import caller as fresh_caller
from tests.server.conversation.spoken import conversation
from tests.server.storage.rows import make_user, queued_meeting, ready_meeting

HASH = "a" * 64
# Speaker 1 speaks for 20 s, 10 s and 10 s, speaker 2 for 10 s.
TALK = conversation((1, 0, 20), (2, 20, 30), (1, 30, 40), (1, 50, 60))


async def caller_of(owner: Database, organization: str = "Org") -> Caller:
    return fresh_caller(await make_user(owner, organization))


async def analysed(owner: Database, database: Database, file_hash: str = HASH) -> tuple[UUID, dict[int, UUID]]:
    """A meeting of ``TALK``, and the ids of its speakers."""
    meeting_id = await ready_meeting(
        database,
        await make_user(owner),
        file_hash,
        conversation=TALK.to_document(),
        answers={
            name: (answer.definition_version, dict(answer.document)) for name, answer in compute_answers(TALK).items()
        },
    )
    return meeting_id, {label: speaker_id(meeting_id, label) for label in range(1, 6)}


async def shares(owner: Database, meeting_id: UUID) -> dict[int, float]:
    stored = await owner.run(lambda c: insights.load(c, meeting_id, SHARES.name))
    assert stored is not None
    return {part["label"]: part["percentage"] for part in stored["speakers"]}


def labels(rows: tuple[SpeakerRow, ...]) -> list[int]:
    return [row.label for row in rows]


async def test_a_merge_moves_what_was_said_and_undo_moves_it_back(owner: Database, database: Database) -> None:
    meeting_id, ids = await analysed(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    before = await shares(owner, meeting_id)
    assert labels(await corrections.merge(caller, ids[2], ids[1])) == [1]
    assert await shares(owner, meeting_id) == {1: 100}
    assert labels(await corrections.undo(caller, HASH)) == [1, 2]
    assert await shares(owner, meeting_id) == before
    with pytest.raises(BadRequest, match="no correction to undo"):
        await corrections.undo(caller, HASH)


async def test_a_split_makes_a_new_speaker_of_a_part(owner: Database, database: Database) -> None:
    meeting_id, ids = await analysed(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    list_all, new_id = await corrections.split(caller, ids[1], 30_000, 40_000)
    assert (labels(list_all), new_id) == ([1, 2, 3], ids[3])
    found = await shares(owner, meeting_id)
    assert found[3] == found[2] == pytest.approx(found[1] / 3, abs=1)
    # A label that was undone is not given again: the ids of what clients once saw stay what they were.
    await corrections.undo(caller, HASH)
    _, again = await corrections.split(caller, ids[1], 30_000, 40_000)
    assert again == ids[4]


async def test_splits_at_the_same_time_make_a_new_speaker_each(owner: Database, database: Database) -> None:
    meeting_id, ids = await analysed(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    (_, first), (_, second) = await asyncio.gather(
        corrections.split(caller, ids[1], 30_000, 40_000), corrections.split(caller, ids[1], 50_000, 60_000)
    )
    assert {first, second} == {ids[3], ids[4]}
    assert set(await shares(owner, meeting_id)) == {1, 2, 3, 4}


@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 60_000), (10_000, 55_001), (20_000, 30_000), (70_000, 80_000)])
async def test_a_split_takes_some_and_leaves_some(
    owner: Database, database: Database, start_ms: int, end_ms: int
) -> None:
    meeting_id, ids = await analysed(owner, database)
    before = await shares(owner, meeting_id)
    with pytest.raises(BadRequest, match="some, but not all"):
        await Corrections(database).split(await caller_of(owner), ids[1], start_ms, end_ms)
    assert await shares(owner, meeting_id) == before
    assert await owner.run(lambda c: speakers.list_edits(c, meeting_id)) == []


async def test_who_is_merged_is_another_speaker_of_the_same_meeting(owner: Database, database: Database) -> None:
    _, ids = await analysed(owner, database)
    _, others = await analysed(owner, database, "b" * 64)
    caller, corrections = await caller_of(owner), Corrections(database)
    with pytest.raises(BadRequest, match="the same speaker"):
        await corrections.merge(caller, ids[1], ids[1])
    with pytest.raises(BadRequest, match="another meeting"):
        await corrections.merge(caller, ids[1], others[1])
    await corrections.merge(caller, ids[2], ids[1])
    # Who was merged is no speaker any more.
    with pytest.raises(SpeakerNotFound):
        await corrections.merge(caller, ids[1], ids[2])


async def test_nobody_corrects_what_is_another_organization_s(owner: Database, database: Database) -> None:
    meeting_id, ids = await analysed(owner, database)
    stranger, corrections = await caller_of(owner, "Elsewhere"), Corrections(database)
    with pytest.raises(SpeakerNotFound):
        await corrections.rename(stranger, ids[1], "Eve", None)
    with pytest.raises(SpeakerNotFound):
        await corrections.merge(stranger, ids[1], ids[2])
    with pytest.raises(SpeakerNotFound):
        await corrections.split(stranger, ids[1], 0, 20_000)
    with pytest.raises(MeetingNotFound):
        await corrections.undo(stranger, HASH)
    names = [row.alias for row in await owner.run(lambda c: speakers.list_active(c, meeting_id))]
    assert names == ["Speaker 1", "Speaker 2"]


async def test_a_name_is_of_the_stated_meeting(owner: Database, database: Database) -> None:
    meeting_id, ids = await analysed(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    with pytest.raises(SpeakerNotFound):
        await corrections.rename(caller, ids[1], "Ada", "b" * 64)
    with pytest.raises(SpeakerNotFound):
        await corrections.rename(caller, uuid4(), "Ada", None)
    await corrections.rename(caller, ids[1], "Ada", HASH)
    await corrections.rename(caller, ids[2], "Grace", None)
    list_all = await owner.run(lambda c: speakers.list_active(c, meeting_id))
    assert [(row.alias, row.alias_source) for row in list_all] == [("Ada", "hand"), ("Grace", "hand")]


async def test_a_meeting_that_is_not_ready_has_nothing_to_undo(owner: Database, database: Database) -> None:
    await queued_meeting(database, await make_user(owner), HASH)
    with pytest.raises(MeetingNotFound):
        await Corrections(database).undo(await caller_of(owner), HASH)


async def test_a_meeting_without_its_transcript_is_renamed_in_and_no_more(owner: Database, database: Database) -> None:
    meeting_id, ids = await analysed(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    await database.run(
        lambda c: retention.delete_transcript(c, caller.organization_id, meeting_id, []),
        organization_id=caller.organization_id,
    )
    for correction in (
        corrections.merge(caller, ids[2], ids[1]),
        corrections.split(caller, ids[1], 0, 1000),
        corrections.undo(caller, HASH),
    ):
        with pytest.raises(TranscriptDeleted):
            await correction
    await corrections.rename(caller, ids[1], "Daniel", HASH)


async def test_numbers_in_a_typed_name_are_redacted_and_the_name_stays(owner: Database, database: Database) -> None:
    meeting_id, ids = await analysed(owner, database)
    caller, corrections = await caller_of(owner), Corrections(database)
    typed = "Daniel Lee, +1 415 555 0199"
    assert await corrections.rename(caller, ids[1], typed, HASH) == typed
    await owner.run(lambda c: c.execute("UPDATE meetings SET redact = 'email,phone,name'"))
    assert await corrections.rename(caller, ids[1], typed, HASH) == "Daniel Lee, [PHONE]"
    listed = await owner.run(lambda c: speakers.list_active(c, meeting_id))
    assert next(row.alias for row in listed) == "Daniel Lee, [PHONE]"
