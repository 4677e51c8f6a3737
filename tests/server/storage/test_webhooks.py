"""The rows of webhooks: changed, paused and resumed, with two secrets at once."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from server.storage import webhook_events, webhooks
from server.storage.pool import Database
from tests.server.storage.rows import make_user, new_webhook


async def test_what_is_given_is_changed_and_another_url_begins_anew(owner: Database, database: Database) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    id_ = await new_webhook(database, organization_id)
    await run(lambda c: webhook_events.add_test(c, id_))
    failing = "UPDATE webhooks SET failures = 9, failing_since = now(), not_before = now() + interval '1 hour'"
    waiting = "UPDATE webhook_deliveries SET attempts = 9, next_at = now() + interval '1 hour'"
    for statement in (failing, waiting):
        await run(lambda c, s=statement: c.execute(s))  # type: ignore[misc]
    change = partial(webhooks.change, organization_id=organization_id, id_=id_)
    await run(lambda c: change(c, url=None, description="new", events=["alert"]))
    row = await run(lambda c: webhooks.find(c, organization_id, id_))
    assert row is not None
    assert (row.url, row.description, row.events) == ("https://receiver.example/", "new", ("alert",))
    assert (row.failures, row.waiting) == (9, 1)
    await run(lambda c: change(c, url="https://other.example/", description=None, events=None))
    row = await run(lambda c: webhooks.find(c, organization_id, id_))
    assert row is not None
    assert (row.url, row.description, row.failures, row.failing_since) == ("https://other.example/", "new", 0, None)
    due = "SELECT count(*) FROM webhook_deliveries WHERE next_at <= now() AND attempts = 0"
    assert await owner.run(lambda c: c.fetchval(due)) == 1


async def test_a_pause_keeps_its_first_note_and_ends(owner: Database, database: Database) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    id_ = await new_webhook(database, organization_id)
    for note in ("gone", "by a user"):
        await run(lambda c, n=note: webhooks.pause(c, organization_id, id_, n))  # type: ignore[misc]
    (row,) = await run(lambda c: webhooks.list_all(c, organization_id))
    assert (row.note, row.paused_at is not None) == ("gone", True)
    await run(lambda c: webhooks.resume(c, organization_id, id_))
    (row,) = await run(lambda c: webhooks.list_all(c, organization_id))
    assert (row.note, row.paused_at) == ("", None)


async def test_the_secret_before_is_valid_for_as_long_as_was_asked(owner: Database, database: Database) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    id_ = await new_webhook(database, organization_id)
    replace = partial(webhooks.replace_secret, organization_id=organization_id, id_=id_)
    # Once more, as after a commit whose answer was lost.
    for _ in range(2):
        assert await run(lambda c: replace(c, secret=b"new", keep_hours=24))

    async def stored() -> list[tuple[bytes, bytes | None]]:
        rows = await owner.run(lambda c: c.fetch("SELECT secret, previous_secret FROM webhooks"))
        return [(row["secret"], row["previous_secret"]) for row in rows]

    assert await stored() == [(b"new", b"sealed")]
    row = await run(lambda c: webhooks.find(c, organization_id, id_))
    assert row is not None
    assert row.previous_until is not None
    assert await run(lambda c: replace(c, secret=b"newest", keep_hours=0))
    assert await stored() == [(b"newest", None)]
    row = await run(lambda c: webhooks.find(c, organization_id, id_))
    assert row is not None
    assert row.previous_until is None
    assert not await run(lambda c: webhooks.replace_secret(c, organization_id, uuid4(), b"x", 1))


async def test_webhooks_are_counted_and_deleted_with_what_waits(owner: Database, database: Database) -> None:
    organization_id = (await make_user(owner)).organization_id
    run = partial(database.run, organization_id=organization_id)
    one, other = [await new_webhook(database, organization_id) for _ in range(2)]
    for id_ in (one, other):
        await run(lambda c, i=id_: webhook_events.add_test(c, i))  # type: ignore[misc]
    assert await run(lambda c: webhooks.lock_count(c, organization_id)) == 2
    assert await run(lambda c: webhooks.delete(c, organization_id, one))
    assert not await run(lambda c: webhooks.delete(c, organization_id, one))
    assert [row.id for row in await run(lambda c: webhooks.list_all(c, organization_id))] == [other]
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM webhook_deliveries")) == 1
