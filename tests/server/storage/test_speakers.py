"""Speakers of meetings in a real database, and the corrections of them."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from server.storage import speakers
from server.storage.pool import Connection, Database
from server.storage.speakers import SpeakerRow, speaker_id
from tests.server.storage.rows import make_user, ready_meeting


async def test_a_speaker_is_found_by_the_own_organization_alone(owner: Database, database: Database) -> None:
    user, stranger = await make_user(owner), await make_user(owner, "Elsewhere")
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    id_ = speaker_id(meeting_id, 2)
    found = await run(lambda c: speakers.find(c, user.organization_id, id_))
    assert found is not None
    assert (found.meeting_id, found.file_hash, found.label) == (meeting_id, "a" * 64, 2)
    as_stranger = partial(database.run, organization_id=stranger.organization_id)
    assert await as_stranger(lambda c: speakers.find(c, stranger.organization_id, id_)) is None
    assert await run(lambda c: speakers.find(c, user.organization_id, uuid4())) is None


async def test_a_second_analysis_keeps_the_names_given_by_hand(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    await run(lambda c: speakers.rename(c, speaker_id(meeting_id, 1), "Ada"))
    found_again = [
        SpeakerRow(label, speaker_id(meeting_id, label), f"Voice {label}", "spoken", 0.9) for label in (1, 3)
    ]
    await run(lambda c: speakers.store(c, meeting_id, found_again))
    list_all = await run(lambda c: speakers.list_active(c, meeting_id))
    assert [(row.label, row.alias, row.alias_source, row.alias_confidence) for row in list_all] == [
        (1, "Ada", "hand", None),
        (2, "Speaker 2", "number", None),
        (3, "Voice 3", "spoken", 0.9),
    ]


async def test_exactly_the_given_labels_are_speakers_and_one_who_comes_back_has_the_same_name(
    owner: Database,
    database: Database,
) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    await run(lambda c: speakers.rename(c, speaker_id(meeting_id, 2), "Grace"))
    await run(lambda c: speakers.activate(c, meeting_id, [1, 4]))
    list_all = await run(lambda c: speakers.list_active(c, meeting_id))
    assert [(row.label, row.alias) for row in list_all] == [(1, "Speaker 1"), (4, "Speaker 4")]
    gone = speaker_id(meeting_id, 2)
    assert await run(lambda c: speakers.find(c, user.organization_id, gone)) is None
    assert await run(lambda c: speakers.find_highest_label(c, meeting_id)) == 4
    await run(lambda c: speakers.activate(c, meeting_id, [2]))
    list_all = await run(lambda c: speakers.list_active(c, meeting_id))
    assert [(row.label, row.alias) for row in list_all] == [(2, "Grace")]
    # Labels are never given twice: what was hidden counts too.
    assert await run(lambda c: speakers.find_highest_label(c, meeting_id)) == 4


async def test_a_meeting_without_speakers_has_no_highest_label(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user, labels=())
    assert await run(lambda c: speakers.find_highest_label(c, meeting_id)) == 0
    assert await run(lambda c: speakers.list_active(c, meeting_id)) == ()


async def test_corrections_are_undone_from_the_latest_to_the_first_and_no_further(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    for number in range(3):
        await run(lambda c, n=number: speakers.add_edit(c, meeting_id, user.id, {"edit": n}))  # type: ignore[misc]
    assert await run(lambda c: speakers.list_edits(c, meeting_id)) == [{"edit": 0}, {"edit": 1}, {"edit": 2}]
    assert await undo_latest(run, meeting_id) == 3
    await run(lambda c: speakers.add_edit(c, meeting_id, user.id, {"edit": 3}))
    assert await run(lambda c: speakers.list_edits(c, meeting_id)) == [{"edit": 0}, {"edit": 1}, {"edit": 3}]
    assert [await undo_latest(run, meeting_id) for _ in range(4)] == [4, 2, 1, None]
    assert await run(lambda c: speakers.list_edits(c, meeting_id)) == []
    # Numbers are never given twice.
    assert await run(lambda c: speakers.find_highest_edit(c, meeting_id)) == 4


async def undo_latest(run: Any, meeting_id: UUID) -> int | None:
    """Undo the latest correction in force, and return its number."""

    async def work(connection: Connection) -> int | None:
        latest = await speakers.find_latest_edit(connection, meeting_id)
        if latest is not None:
            await speakers.undo_edit(connection, meeting_id, latest)
        return latest

    found: int | None = await run(work)
    return found


async def test_the_history_has_undone_corrections_and_the_latest_first(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    for number in range(3):
        await run(lambda c, n=number: speakers.add_edit(c, meeting_id, user.id, {"edit": n}))  # type: ignore[misc]
    await undo_latest(run, meeting_id)
    rows = await run(lambda c: speakers.list_history(c, meeting_id, 2, None))
    assert [(row.number, row.document, row.user_id, row.undone) for row in rows] == [
        (3, {"edit": 2}, user.id, True),
        (2, {"edit": 1}, user.id, False),
    ]
    assert [row.number for row in await run(lambda c: speakers.list_history(c, meeting_id, 2, 2))] == [1]


async def test_speakers_that_are_no_more_are_listed_with_all(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await ready_meeting(database, user)
    await run(lambda c: speakers.activate(c, meeting_id, [2]))
    assert [row.label for row in await run(lambda c: speakers.list_active(c, meeting_id))] == [2]
    assert [row.label for row in await run(lambda c: speakers.list_all(c, meeting_id))] == [1, 2]


async def test_ids_are_those_of_the_meeting_and_the_label() -> None:
    one, other = uuid4(), uuid4()
    assert speaker_id(one, 1) == speaker_id(one, 1)
    assert len({speaker_id(one, 1), speaker_id(one, 2), speaker_id(other, 1)}) == 3
