"""An organization's policy is its own."""

from __future__ import annotations

from uuid import uuid4

import pytest

from server.policy import Policy
from server.storage import organizations
from server.storage.pool import Database, ReferenceDeleted
from server.storage.users import User
from tests.server.storage.rows import make_user


async def policy_of(database: Database, user: User) -> Policy:
    row = await database.run(
        lambda c: organizations.find(c, user.organization_id), organization_id=user.organization_id
    )
    return row.policy


async def test_settings_change_one_by_one_and_for_one_organization(owner: Database, database: Database) -> None:
    ours, theirs = [await make_user(owner, name) for name in ("Ours", "Theirs")]
    assert await policy_of(database, ours) == Policy()
    for settings in ({"retention_audio_days": 30}, {"retention_meeting_days": 365}, {}):
        await database.run(
            lambda c, s=settings: organizations.set_policy(c, ours.organization_id, s),  # type: ignore[misc]
            organization_id=ours.organization_id,
        )
    assert await policy_of(database, ours) == Policy(retention_audio_days=30, retention_meeting_days=365)
    assert await policy_of(database, theirs) == Policy()


async def test_an_organization_that_is_gone_has_no_policy(owner: Database, database: Database) -> None:
    gone = uuid4()
    with pytest.raises(ReferenceDeleted):
        await database.run(lambda c: organizations.find(c, gone), organization_id=gone)
    with pytest.raises(ReferenceDeleted):
        await database.run(
            lambda c: organizations.set_policy(c, gone, {"retention_audio_days": 1}), organization_id=gone
        )
    assert await owner.run(lambda c: organizations.find_named(c, "Gone")) is None


async def test_an_organization_is_found_by_its_name(owner: Database) -> None:
    user = await make_user(owner)
    assert await owner.run(lambda c: organizations.find_named(c, "Org")) == user.organization_id
