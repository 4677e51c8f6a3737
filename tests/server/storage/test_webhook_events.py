"""What webhooks are told is stored with what it tells, once, for who wants it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.conversation import RedactionKind
from server.storage import StoredRedaction, jobs, live, meetings, webhook_events
from server.storage.live import LiveRow, NewEvent
from server.storage.pool import Connection, Database
from server.storage.webhook_events import EVENT_TYPES
from tests.server.storage.live_rows import opened, run
from tests.server.storage.rows import HASH, make_user, new_meeting, new_webhook, queued_meeting, ready_meeting
from tests.server.storage.test_results import finish, taken

FINAL, WITHDRAWN = "LIVE_ALERT_STATE_FINAL", "LIVE_ALERT_STATE_WITHDRAWN"


async def told(owner: Database) -> list[dict[str, Any]]:
    """The bodies of all events, in order, each with its id."""
    rows = await owner.run(lambda c: c.fetch("SELECT id, body FROM webhook_events ORDER BY created_at, type"))
    return [{**json.loads(row["body"]), "id": row["id"]} for row in rows]


async def wanted_by(owner: Database) -> dict[str, set[UUID]]:
    """The webhooks that are to be told, by type."""
    rows = await owner.run(
        lambda c: c.fetch(
            "SELECT e.type, d.webhook_id FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id"
        )
    )
    return {type_: {row["webhook_id"] for row in rows if row["type"] == type_} for type_ in {r["type"] for r in rows}}


async def test_a_meeting_that_is_ready_is_told_to_who_wants_it(owner: Database, database: Database) -> None:
    user, stranger = await make_user(owner), await make_user(owner, "Elsewhere")
    webhook = partial(new_webhook, database)
    every, ready = await webhook(user.organization_id), await webhook(user.organization_id, events=["meeting.ready"])
    await webhook(user.organization_id, events=["alert", "meeting.failed"])
    await webhook(stranger.organization_id)
    meeting_id = await ready_meeting(database, user)
    (event,) = await told(owner)
    assert event["type"] == "meeting.ready"
    assert event["data"] == {
        "meeting_id": str(meeting_id),
        "file_hash": HASH,
        "session_id": "",
        "name": "m",
        "status": "ready",
        "message": "Ready",
        "duration_ms": 60_000,
        "language": "en",
    }
    assert await wanted_by(owner) == {"meeting.ready": {every, ready}}


async def test_where_nobody_wants_to_be_told_nothing_is_stored(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await new_webhook(database, user.organization_id, events=["alert"])
    await ready_meeting(database, user)
    assert await told(owner) == []


async def test_what_is_rolled_back_is_told_to_nobody(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await new_webhook(database, user.organization_id)
    await queued_meeting(database, user, HASH)
    job = await taken(database)

    async def broken(connection: Connection) -> None:
        await finish(connection, job)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await database.run(broken, organization_id=user.organization_id)
    assert await told(owner) == []


async def test_each_outcome_is_told_once_and_a_later_one_again(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    work = partial(database.run, organization_id=user.organization_id)
    await new_webhook(database, user.organization_id)
    for outcome in ("failed", "failed", "ready"):
        await queued_meeting(database, user, HASH)
        job = await taken(database)
        settle = partial(jobs.fail, job=job, reason="damaged") if outcome == "failed" else partial(finish, job=job)
        await work(settle)
        # As after a commit whose answer was lost.
        await work(partial(webhook_events.add_outcome, meeting_id=job.meeting_id))
    events = await told(owner)
    assert [event["type"] for event in events] == ["meeting.failed", "meeting.failed", "meeting.ready"]
    assert [event["data"]["message"] for event in events] == ["damaged", "damaged", "Ready"]
    assert len({event["id"] for event in events}) == 3


async def test_a_meeting_whose_analysis_crashed_too_often_is_told_as_failed(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    await new_webhook(database, user.organization_id)
    await queued_meeting(database, user, HASH)
    for _ in range(3):
        await database.run(lambda c: jobs.lease_next(c, 0, 2))
    (event,) = await told(owner)
    assert (event["type"], "crashed 2 times" in event["data"]["message"]) == ("meeting.failed", True)


async def live_meeting(owner: Database, database: Database) -> LiveRow:
    """A live meeting of an organization with a webhook."""
    user = await make_user(owner)
    await new_webhook(database, user.organization_id)
    return await opened(owner, database)


async def test_a_live_meeting_is_told_from_its_start_to_its_end(owner: Database, database: Database) -> None:
    row = await live_meeting(owner, database)
    once_more: list[Callable[[Connection], Awaitable[Any]]] = [
        lambda c: live.create(c, row, name="Weekly", held_on=None, n_speakers=2, language="en"),
        lambda c: live.finish(c, row, 1, None),
    ]
    await run(database, row, lambda c: live.finish(c, row, 1, None))
    for work in once_more:
        await run(database, row, work)
    started, finished = await told(owner)
    assert [started["type"], finished["type"]] == ["live.started", "live.finished"]
    for event in (started, finished):
        assert (event["data"]["session_id"], event["data"]["name"]) == (str(row.meeting_id), "Weekly")
        assert event["data"]["file_hash"] == row.file_hash
    assert (started["data"]["status"], finished["data"]["status"]) == ("receiving", "queued")


async def test_an_alert_is_told_once_with_each_of_its_states(owner: Database, database: Database) -> None:
    row = await live_meeting(owner, database)
    events = [
        NewEvent(number, None, b"", {"alert_id": 1, "state": state, "text": "Ada said it"})
        for number, state in enumerate([FINAL, WITHDRAWN], start=1)
    ]
    for batch in ([events[0], NewEvent(3, 7, b"")], [events[0]], events):
        await run(database, row, partial(live.append_events, meeting_id=row.meeting_id, fence=row.fence, events=batch))
    alerts = [event for event in await told(owner) if event["type"] == "alert"]
    assert [alert["data"]["alert"]["state"] for alert in alerts] == [FINAL, WITHDRAWN]
    assert alerts[0]["data"]["alert"]["text"] == "Ada said it"
    assert alerts[0]["data"]["session_id"] == str(row.meeting_id)


async def test_names_are_told_once_they_are_redacted(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    await new_webhook(database, user.organization_id)
    work = partial(database.run, organization_id=user.organization_id)
    new = replace(new_meeting(user, name="Call of Daniel"), redact=frozenset([RedactionKind.NAME]))
    await work(lambda c: meetings.accept(c, new))
    job = await taken(database)
    await work(lambda c: jobs.fail(c, job, "damaged"))
    await work(lambda c: meetings.accept(c, new))
    again = await taken(database)
    stored = StoredRedaction([[0, 10]], "Call of [NAME]", hides_names=True)
    await work(lambda c: finish(c, again, redaction=stored))
    assert [event["data"]["name"] for event in await told(owner)] == ["", "Call of [NAME]"]


@pytest.mark.parametrize("redact", ["name", ""], ids=["redacted", "not redacted"])
async def test_an_alert_that_redaction_withdraws_is_not_kept(owner: Database, database: Database, redact: str) -> None:
    row = await live_meeting(owner, database)
    await owner.run(lambda c: c.execute("UPDATE meetings SET redact = $1", redact))
    states = [(1, 1, "Daniel"), (2, 2, "Budget"), (3, 1, "")]
    for number, alert_id, phrase in states:
        alert = {"alert_id": alert_id, "state": FINAL if phrase else WITHDRAWN, "phrase": phrase}
        await run(
            database, row, partial(webhook_events.add_alert, meeting_id=row.meeting_id, event_seq=number, alert=alert)
        )
    phrases = [event["data"]["alert"]["phrase"] for event in await told(owner) if event["type"] == "alert"]
    assert phrases == (["Budget", ""] if redact else ["Daniel", "Budget", ""])


async def test_a_body_is_small_whatever_it_says(owner: Database, database: Database) -> None:
    row = await live_meeting(owner, database)
    await owner.run(lambda c: c.execute("UPDATE meetings SET name = $1, message = $1", "👩🏽‍🚀" * 1000))
    texts = ("alias", "text", "phrase", "track_id", "rule_id", "kind")
    for seq, (character, kept) in enumerate((("\x01", 50), ("\0", 500), ("é", 500)), start=1):
        alert = {"alert_id": seq, "state": FINAL, **dict.fromkeys(texts, character * 10_000)}
        add = partial(webhook_events.add_alert, meeting_id=row.meeting_id, event_seq=seq, alert=alert)
        await run(database, row, add)
        event = [event for event in await told(owner) if event["type"] == "alert"][-1]
        assert len(event["data"]["name"]) == kept
        assert event["data"]["name"].endswith("…")
    sizes = await owner.run(lambda c: c.fetch("SELECT octet_length(body) AS size FROM webhook_events"))
    assert max(row["size"] for row in sizes) <= 20_000


async def test_what_happens_while_too_much_waits_is_counted_not_kept(
    owner: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_events, "MAX_WAITING", 2)
    user = await make_user(owner)
    webhook_id = await new_webhook(database, user.organization_id)
    for number in range(4):
        await ready_meeting(database, user, f"{number:064x}")
    assert len((await wanted_by(owner))["meeting.ready"]) == 1
    rows = await owner.run(lambda c: c.fetch("SELECT id FROM webhook_deliveries"))
    assert len(rows) == 2
    assert await owner.run(lambda c: c.fetchval("SELECT dropped FROM webhooks WHERE id = $1", webhook_id)) == 2
    work = partial(database.run, organization_id=user.organization_id)
    assert await work(lambda c: webhook_events.add_test(c, webhook_id)) is None


async def test_a_test_is_for_one_webhook_alone(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    one, _ = [await new_webhook(database, user.organization_id, events=EVENT_TYPES) for _ in range(2)]
    work = partial(database.run, organization_id=user.organization_id)
    assert isinstance(await work(lambda c: webhook_events.add_test(c, one)), UUID)
    assert await wanted_by(owner) == {"webhook.test": {one}}
    assert await work(lambda c: webhook_events.add_test(c, uuid4())) is None
