"""What is in the index: of every meeting that is ready, and of none that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.audio import AudioLog
from server.auth import Caller
from server.conversation import Merge, edit_to_document
from server.insights import compute_answers
from server.meetings import Corrections, Deletion, Retention
from server.search import SearchIndexing, Wanted, indexing
from server.storage import deletions, speakers
from server.storage.pool import Database
from server.storage.speakers import speaker_id
from server.storage.users import User
from tests.server.callers import caller
from tests.server.search.indexed import Said, conversation_of, indexed, search_of
from tests.server.storage.rows import HASH, make_user, ready_meeting
from tests.server.storage.test_retention import age, set_days

SAID = (Said("The budget is mine.", 1), Said("No, the budget is ours.", 2))


async def found(database: Database, user: User, **filters: str) -> list[tuple[str, str | None]]:
    """Who speaks of the budget, as a search tells."""
    answer = await search_of(database).find(user.organization_id, Wanted("budget", **filters))  # type: ignore[arg-type]
    return sorted((one.row.text, one.row.speaker_name) for one in answer.found)


async def stored_before(database: Database, user: User, file_hash: str = HASH) -> None:
    """A meeting of a version without search."""
    conversation = conversation_of(SAID)
    answers = {name: (a.definition_version, dict(a.document)) for name, a in compute_answers(conversation).items()}
    await ready_meeting(database, user, file_hash, conversation=conversation.to_document(), answers=answers)


async def test_meetings_that_were_stored_before_are_indexed_once(owner: Database, database: Database) -> None:
    ours, theirs = await make_user(owner, "Ours"), await make_user(owner, "Theirs")
    for user in (ours, theirs):
        await stored_before(database, user)
    assert await found(database, ours) == []
    index = SearchIndexing(database)
    assert await index.index_all() == 2
    assert await index.index_all() == 0
    for user in (ours, theirs):
        assert [name for _, name in await found(database, user)] == ["Speaker 2", "Speaker 1"]


async def test_another_version_indexes_anew(
    owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await make_user(owner)
    await indexed(database, user, *SAID)
    assert await SearchIndexing(database).index_all() == 0
    monkeypatch.setattr(indexing, "INDEX_VERSION", 99)
    assert await SearchIndexing(database).index_all() == 1
    assert len(await found(database, user)) == 2


async def test_corrections_in_force_are_indexed(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await stored_before(database, user)
    meeting_id = await owner.run(lambda c: c.fetchval("SELECT id FROM meetings"))
    edit = edit_to_document(Merge(2, 1))
    await database.run(lambda c: speakers.add_edit(c, meeting_id, user.id, edit), organization_id=user.organization_id)
    assert await SearchIndexing(database).index_all() == 1
    assert {name for _, name in await found(database, user)} == {"Speaker 1"}


async def test_a_meeting_that_cannot_be_read_holds_up_no_other(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await stored_before(database, user, "b" * 64)
    await ready_meeting(database, user, "c" * 64, conversation={"broken": True}, answers={"topics": ("1", {})})
    index = SearchIndexing(database)
    assert await index.index_all() == 1
    assert await index.index_all() == 0
    assert len(await found(database, user)) == 2


async def test_a_meeting_at_work_is_left_to_who_has_it(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await stored_before(database, user)

    async def while_locked(connection: object) -> int:
        await connection.execute("SELECT FROM meetings FOR UPDATE")  # type: ignore[attr-defined]
        return await SearchIndexing(database).index_all()

    assert await database.run(while_locked, organization_id=user.organization_id) == 0
    assert await SearchIndexing(database).index_all() == 1


async def test_a_merge_an_undo_and_a_name_show_at_once(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    meeting_id = await indexed(database, user, *SAID)
    who: Caller = caller(user)
    corrections = Corrections(database)
    await corrections.rename(who, speaker_id(meeting_id, 1), "Ada", None)
    assert await found(database, user, speaker="ada") == [("The budget is mine.", "Ada")]
    await corrections.merge(who, speaker_id(meeting_id, 2), speaker_id(meeting_id, 1))
    assert {name for _, name in await found(database, user)} == {"Ada"}
    await corrections.undo(who, HASH)
    assert [name for _, name in await found(database, user)] == ["Speaker 2", "Ada"]


async def test_a_deleted_meeting_is_not_found_and_its_rows_are_in_the_receipt(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner)
    await indexed(database, user, *SAID)
    await Deletion(AudioLog(tmp_path), database).delete(caller(user), HASH)
    assert await found(database, user) == []
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM search_sentences")) == 0
    (receipt,) = await database.run(
        lambda c: deletions.list_page(c, user.organization_id, 9, None), organization_id=user.organization_id
    )
    assert (receipt.row_counts["search_meetings"], receipt.row_counts["search_sentences"]) == (1, 2)


async def test_retention_of_the_transcript_takes_it_out_of_search_for_good(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    user = await make_user(owner)
    await indexed(database, user, *SAID)
    await set_days(database, user, audio=0, transcript=10, meeting=0)
    await age(owner, 10.1)
    assert await Retention(AudioLog(tmp_path), database, every_s=60).enforce() == 1
    assert await found(database, user) == []
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM search_sentences")) == 0
    assert await SearchIndexing(database).index_all() == 0
