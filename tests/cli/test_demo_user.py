"""The demo user of a new system, and of one that was started before."""

from __future__ import annotations

from cli.demo_user import ensure_demo_user
from cli.home import DEMO_EMAIL
from server.auth import password_matches
from server.storage import users
from server.storage.pool import Database
from server.storage.users import User


async def demo_user(owner: Database) -> User:
    user = await owner.run(lambda c: users.find_by_email(c, DEMO_EMAIL))
    assert user is not None
    return user


async def test_a_start_voids_no_token_unless_the_password_is_another(owner: Database) -> None:
    assert await owner.run(lambda c: ensure_demo_user(c, "one"))
    first = await demo_user(owner)
    assert first.role == "owner"
    assert await owner.run(lambda c: ensure_demo_user(c, "one"))
    assert await demo_user(owner) == first
    assert await owner.run(lambda c: ensure_demo_user(c, "two"))
    changed = await demo_user(owner)
    assert (changed.id, changed.token_generation) == (first.id, first.token_generation + 1)
    assert password_matches(changed.password_hash or "", "two")


async def test_a_demo_user_who_is_not_wanted_does_not_come_back(owner: Database) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "ada@example.org", "hash"))
    assert not await owner.run(lambda c: ensure_demo_user(c, "one"))
    assert await owner.run(lambda c: users.find_by_email(c, DEMO_EMAIL)) is None
    await owner.run(lambda c: users.ensure_user(c, "Demo", DEMO_EMAIL, "hash"))
    user = await demo_user(owner)
    await owner.run(lambda c: users.update(c, user.organization_id, user.id, disabled=True))
    assert not await owner.run(lambda c: ensure_demo_user(c, "one"))
    assert (await demo_user(owner)).disabled
