"""What organizations use is counted by day and meeting; an operator may give one of them quotas of its own."""

from __future__ import annotations

import asyncio

import pytest

from server.quotas import Quotas, Use
from server.storage import meetings, quotas
from server.storage.meetings import NewMeeting
from server.storage.pool import Database, ReferenceDeleted
from server.storage.users import User
from tests.server.storage.rows import HASH, make_user, queued_meeting

DEFAULTS = Quotas(1000, 10, 5000, 3)


async def use_of(database: Database, user: User) -> Use:
    return await database.run(
        lambda c: quotas.find_use(c, user.organization_id, DEFAULTS), organization_id=user.organization_id
    )


async def count(database: Database, user: User, audio_ms: int) -> int | None:
    return await database.run(
        lambda c: quotas.count_audio(c, user.organization_id, HASH, audio_ms), organization_id=user.organization_id
    )


async def test_bytes_count_by_day_and_organization(owner: Database, database: Database) -> None:
    ours, theirs = [await make_user(owner, name) for name in ("Ours", "Theirs")]
    await asyncio.gather(
        *(
            database.run(
                lambda c: quotas.count_upload(c, ours.organization_id, 10), organization_id=ours.organization_id
            )
            for _ in range(5)
        )
    )
    assert (await use_of(database, ours)).upload_bytes == 50
    assert (await use_of(database, theirs)).upload_bytes == 0
    await owner.run(lambda c: c.execute("UPDATE organization_days SET day = day - 1"))
    used = await use_of(database, ours)
    assert used.upload_bytes == 0
    assert 1 <= used.day_ends_in_s <= 86_400


async def test_what_is_stored_is_what_its_meetings_are(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    for number, size in enumerate((100, 23)):
        new = NewMeeting(user.organization_id, user.id, f"{number:064x}", "m", None, None, "", "audio/wav", size)
        await database.run(lambda c, n=new: meetings.accept(c, n), organization_id=user.organization_id)  # type: ignore[misc]
    assert (await use_of(database, user)).stored_bytes == 123
    await database.run(
        lambda c: meetings.delete(c, user.organization_id, f"{0:064x}"), organization_id=user.organization_id
    )
    assert (await use_of(database, user)).stored_bytes == 23


async def test_a_meeting_s_audio_counts_once(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    # As stated; as decoded; in another attempt; and shorter, which nobody is paid back for.
    assert [await count(database, user, ms) for ms in (1000, 1500, 1500, 700)] == [1000, 1500, None, None]
    assert (await use_of(database, user)).analysed_ms == 1500
    assert await count(database, user, 0) is None


async def test_a_failed_recording_that_comes_again_counts_again(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await queued_meeting(database, user, HASH)
    await count(database, user, 1000)
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed'"))
    await queued_meeting(database, user, HASH)
    assert await count(database, user, 1000) == 2000


async def test_quotas_of_its_own_come_before_the_settings(owner: Database, database: Database) -> None:
    user, other = [await make_user(owner, name) for name in ("Org", "Other")]
    await owner.run(lambda c: quotas.override(c, "Org", {"upload_bytes_per_day": 7, "uploads_at_once": 0}))
    assert (await use_of(database, user)).quotas == Quotas(7, 10, 5000, 0)
    assert (await use_of(database, other)).quotas == DEFAULTS
    await owner.run(lambda c: quotas.override(c, "Org", {"upload_bytes_per_day": None}))
    assert (await use_of(database, user)).quotas == Quotas(1000, 10, 5000, 0)
    assert not await owner.run(lambda c: quotas.override(c, "Nobody", {"stored_bytes": 1}))


async def test_the_operator_sees_all_of_them(owner: Database, database: Database) -> None:
    user, _ = [await make_user(owner, name) for name in ("B", "A")]
    await queued_meeting(database, user, HASH)
    first, second = await owner.run(lambda c: quotas.list_all(c, DEFAULTS))
    assert (first.name, first.meetings, second.name, second.meetings) == ("A", 0, "B", 1)
    assert second.use.stored_bytes == 1


async def test_an_organization_that_is_gone_is_said_to_be(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await owner.run(lambda c: c.execute("DELETE FROM organizations"))
    with pytest.raises(ReferenceDeleted) as raised:
        await use_of(database, user)
    assert raised.value.entity == "organization"
    with pytest.raises(ReferenceDeleted) as raised:
        await database.run(
            lambda c: quotas.count_upload(c, user.organization_id, 1), organization_id=user.organization_id
        )
    assert raised.value.entity == "organization"
