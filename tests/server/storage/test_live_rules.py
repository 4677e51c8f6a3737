"""An organization's rules are its own, and replaced as a whole."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from server.storage import live_rules
from server.storage.pool import Database, ReferenceDeleted
from server.storage.users import User
from tests.server.storage.rows import make_user


async def rules_of(database: Database, user: User) -> list[dict[str, Any]]:
    return await database.run(lambda c: live_rules.find(c, user.organization_id), organization_id=user.organization_id)


async def test_rules_are_replaced_for_one_organization(owner: Database, database: Database) -> None:
    ours, theirs = [await make_user(owner, name) for name in ("Ours", "Theirs")]
    assert await rules_of(database, ours) == []
    for rules in ([{"id": "a"}, {"id": "b", "phrases": ["é"]}], [{"id": "c"}], []):
        await database.run(
            lambda c, r=rules: live_rules.replace(c, ours.organization_id, r),  # type: ignore[misc]
            organization_id=ours.organization_id,
        )
        assert await rules_of(database, ours) == rules
        assert await rules_of(database, theirs) == []


async def test_another_organizations_are_neither_read_nor_replaced(owner: Database, database: Database) -> None:
    ours, theirs = [await make_user(owner, name) for name in ("Ours", "Theirs")]
    await database.run(
        lambda c: live_rules.replace(c, theirs.organization_id, [{"id": "secret"}]),
        organization_id=theirs.organization_id,
    )
    # Row-level security alone: the statement names the other organization.
    with pytest.raises(ReferenceDeleted):
        await database.run(lambda c: live_rules.find(c, theirs.organization_id), organization_id=ours.organization_id)
    with pytest.raises(ReferenceDeleted):
        await database.run(
            lambda c: live_rules.replace(c, theirs.organization_id, []), organization_id=ours.organization_id
        )
    assert await rules_of(database, theirs) == [{"id": "secret"}]


async def test_an_organization_that_is_gone_has_no_rules(database: Database) -> None:
    gone = uuid4()
    with pytest.raises(ReferenceDeleted):
        await database.run(lambda c: live_rules.find(c, gone), organization_id=gone)
