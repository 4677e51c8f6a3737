"""Notes of consent are kept with their meetings, with who noted them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from server.consent import Consent
from server.storage import consents, meetings
from server.storage.consents import NotedConsent
from server.storage.pool import Database
from server.storage.users import User
from tests.server.storage.rows import HASH, make_user, new_meeting

FIRST, SECOND = Consent("Daniel", "by e-mail", "2026-11-23"), Consent("Zoë", "said so")


async def noted(database: Database, user: User) -> list[NotedConsent]:
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id = await run(lambda c: meetings.find_id(c, user.organization_id, HASH))
    assert meeting_id is not None
    return await run(lambda c: consents.list_all(c, user.organization_id, meeting_id))


async def accept(database: Database, user: User, given: Sequence[Consent]) -> None:
    fields = {name: getattr(new_meeting(user), name) for name in new_meeting(user).__dataclass_fields__}
    new = meetings.NewMeeting(**{**fields, "consents": tuple(given)})
    await database.run(lambda c: meetings.accept(c, new), organization_id=user.organization_id)


async def test_consents_come_with_a_new_recording_and_not_with_a_known_one(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await accept(database, user, [FIRST, SECOND])
    await accept(database, user, [SECOND])
    found = await noted(database, user)
    assert [one.consent for one in found] == [FIRST, SECOND]
    assert {one.email for one in found} == {user.email}
    await owner.run(lambda c: c.execute("DELETE FROM jobs"))
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed'"))
    await accept(database, user, [])
    assert [one.consent for one in await noted(database, user)] == [FIRST, SECOND]
    await owner.run(lambda c: c.execute("UPDATE meetings SET status = 'failed'"))
    await accept(database, user, [SECOND])
    assert [one.consent for one in await noted(database, user)] == [SECOND]


async def test_a_note_that_says_the_same_stays_as_it_was_noted(owner: Database, database: Database) -> None:
    user, other = await make_user(owner), await make_user(owner, email="b@example.org")
    await accept(database, user, [FIRST])
    before = await noted(database, user)
    run = partial(database.run, organization_id=user.organization_id)
    meeting_id: UUID = await owner.run(lambda c: c.fetchval("SELECT id FROM meetings"))

    async def replace(given: Sequence[Consent]) -> None:
        await run(lambda c: consents.replace(c, user.organization_id, meeting_id, other.id, given))

    await replace([FIRST])
    assert await noted(database, user) == before
    await replace([FIRST, SECOND])
    assert {one.email for one in await noted(database, user)} == {other.email}
    await replace([])
    assert await noted(database, user) == []


async def test_a_note_outlives_who_noted_it_and_goes_with_the_meeting(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await accept(database, user, [FIRST])
    await owner.run(lambda c: c.execute("DELETE FROM users"))
    assert [(one.consent, one.email) for one in await noted(database, user)] == [(FIRST, None)]
    await owner.run(lambda c: c.execute("DELETE FROM meetings"))
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM consents")) == 0
