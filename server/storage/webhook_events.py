"""What webhooks are told: stored in the transaction in which it happens, for every webhook that wants it.

A transaction that is rolled back tells nobody anything, and one that is committed is told for sure: a worker sends the
rows, however often it is restarted meanwhile. Ids are derived from what happened, so that nothing has two.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from server.moments import utc_text
from server.storage.pool import Connection

WEBHOOKS_CHANNEL = "meetra_webhooks"
EVENT_TYPES = ("meeting.ready", "meeting.failed", "live.started", "live.finished", "alert")
TEST_TYPE = "webhook.test"
# Deliveries that wait for one webhook; what happens while there are so many is not kept for it.
MAX_WAITING = 10_000
# Of a body, bytes, and of the texts within it, characters.
MAX_BODY, MAX_TEXT = 20_000, 500
_IDS = UUID("5a0b3f34-0d0e-5c7f-9a0e-6c1f1f0d7a52")

_MEETING = (
    "SELECT m.id AS meeting_id, m.file_hash, m.status, m.message, m.duration_ms, m.spoken_language, m.outcomes,"
    # Until the analysis is stored, a name is as it was given.
    " m.redact <> '' AS redacts, CASE WHEN m.redact = '' OR m.status = 'ready' THEN m.name ELSE '' END AS name,"
    " EXISTS (SELECT FROM live_meetings l WHERE l.meeting_id = m.id) AS live"
    " FROM meetings m WHERE m.organization_id = current_organization() AND m.id = $1"
)
_FORGET_ALERT = (
    "DELETE FROM webhook_events WHERE organization_id = current_organization() AND meeting_id = $1 AND type = 'alert'"
    " AND body::jsonb #>> '{data,alert,alert_id}' = $2"
)
_STORE = (
    "WITH wanted AS (SELECT w.id, (SELECT count(*) FROM (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id"
    " AND d.state = 'waiting' LIMIT $6) AS waiting) < $6 AS fits"
    " FROM webhooks w WHERE w.organization_id = current_organization()"
    " AND ($3 = ANY (w.events) OR w.id = $5::uuid)),"
    " stored AS (INSERT INTO webhook_events (id, meeting_id, type, body) SELECT $1, $2::uuid, $3, $4"
    " WHERE EXISTS (SELECT FROM wanted) ON CONFLICT DO NOTHING RETURNING id),"
    " dropped AS (UPDATE webhooks SET dropped = dropped + 1 WHERE EXISTS (SELECT FROM stored)"
    " AND id IN (SELECT id FROM wanted WHERE NOT fits)),"
    " queued AS (INSERT INTO webhook_deliveries (id, webhook_id, event_id)"
    " SELECT gen_random_uuid(), wanted.id, stored.id FROM stored, wanted WHERE wanted.fits RETURNING id)"
    " SELECT count(*) FROM queued"
)


async def add_outcome(connection: Connection, meeting_id: UUID) -> None:
    """Store that a meeting is ready, or failed: what its row says at the end of the transaction's work on it."""
    row = await connection.fetchrow(_MEETING, meeting_id)
    if row is not None:
        type_ = f"meeting.{row['status']}"
        await _store(connection, _id(type_, meeting_id, row["outcomes"]), type_, _data(row), meeting_id)


async def add_live(connection: Connection, type_: str, meeting_id: UUID) -> None:
    """Store that a live meeting has started or finished.

    Args:
        type_: ``live.started`` or ``live.finished``.
    """
    row = await connection.fetchrow(_MEETING, meeting_id)
    if row is not None:
        await _store(connection, _id(type_, meeting_id, 0), type_, _data(row), meeting_id)


async def add_alert(connection: Connection, meeting_id: UUID, event_seq: int, alert: dict[str, Any]) -> None:
    """Store an alert of a live meeting.

    Args:
        event_seq: number of its live event.
        alert: as REST shows it.
    """
    row = await connection.fetchrow(_MEETING, meeting_id)
    if row is not None:
        if row["redacts"] and alert["state"] == "LIVE_ALERT_STATE_WITHDRAWN":
            # Its phrase may be redacted by now: what was stored of it must not be sent, or read, any more.
            await connection.execute(_FORGET_ALERT, meeting_id, str(alert["alert_id"]))
        data = {**_data(row), "alert": alert}
        await _store(connection, _id("alert", meeting_id, event_seq), "alert", data, meeting_id)


async def add_test(connection: Connection, webhook_id: UUID) -> UUID | None:
    """Store an event that is for one webhook alone; return its delivery's id, None where too many wait."""
    id_ = uuid4()
    data = {"webhook_id": str(webhook_id), "message": "This is a test: nothing has happened."}
    await _store(connection, id_, TEST_TYPE, data, None, only=webhook_id)
    delivery: UUID | None = await connection.fetchval(
        "SELECT id FROM webhook_deliveries WHERE organization_id = current_organization() AND event_id = $1", id_
    )
    return delivery


def _id(type_: str, meeting_id: UUID, number: int) -> UUID:
    return uuid5(_IDS, f"{type_}:{meeting_id}:{number}")


def _data(row: Any) -> dict[str, Any]:
    """Return what every event says of its meeting."""
    return {
        "meeting_id": str(row["meeting_id"]),
        "file_hash": row["file_hash"],
        "session_id": str(row["meeting_id"]) if row["live"] else "",
        "name": row["name"],
        "status": row["status"],
        "message": row["message"],
        "duration_ms": row["duration_ms"],
        "language": row["spoken_language"] or "",
    }


async def _store(
    connection: Connection,
    id_: UUID,
    type_: str,
    data: dict[str, Any],
    meeting_id: UUID | None,
    *,
    only: UUID | None = None,
) -> None:
    if await connection.fetchval(_STORE, id_, meeting_id, type_, _body(type_, data), only, MAX_WAITING):
        await connection.execute("SELECT pg_notify($1, '')", WEBHOOKS_CHANNEL)


def _body(type_: str, data: dict[str, Any]) -> str:
    timestamp = utc_text(datetime.now(UTC))
    for most in (MAX_TEXT, MAX_TEXT // 10):
        body = {"type": type_, "timestamp": timestamp, "data": _cut(data, most)}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        # What is escaped takes six times its room.
        if len(text.encode()) <= MAX_BODY:
            break
    return text


def _cut(value: Any, most: int) -> Any:
    """Return a document whose texts have at most ``most`` characters, and none that the database cannot read."""
    if isinstance(value, dict):
        return {name: _cut(inner, most) for name, inner in value.items()}
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "")
    return text[: most - 1] + "…" if len(text) > most else text
