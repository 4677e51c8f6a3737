"""Deliveries to webhooks: a queue for the workers, and the log of what became of each.

A worker leases a webhook, not a delivery: one receiver that is slow or down holds up nobody else. ``fence`` is what
``lease_due`` returned; whoever lost the lease changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.storage.pool import Connection
from server.storage.webhook_events import WEBHOOKS_CHANNEL

DELIVERY_STATES = ("waiting", "delivered", "failed")
# Attempts in the log of a delivery; older ones go.
MAX_LOG = 40
# So many attempts failed in a row, and one did not: the receiver was down, and what waits for it is sent at once.
DOWN_AFTER = 3


@dataclass(frozen=True, slots=True)
class WebhookLease:
    """A webhook that one worker sends to."""

    webhook_id: UUID
    organization_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that is due."""

    id: UUID
    event_id: UUID
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DueRound:
    """What a worker sends next to a webhook."""

    url: str
    secret: bytes
    previous_secret: bytes | None
    """Encrypted, as ``secret`` is; None: none is valid any more."""
    failures: int
    """Attempts that failed since the last one that did not."""
    deliveries: list[DueDelivery]


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One attempt to deliver, and what follows."""

    delivery_id: UUID
    at: str
    status: int
    """Of HTTP; 0: there was no answer."""
    error: str
    """What failed; empty: the receiver has it."""
    ms: int
    retry_after_s: float
    """When it is tried again if it failed, seconds from now."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return not self.error


@dataclass(frozen=True, slots=True)
class WebhookDeliveryRow:
    """A delivery, for its log."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    type: str
    body: str
    """Empty in a list: a thousand of them are 20 MB."""
    created_at: datetime
    state: str
    attempts: int
    """Since it was last queued."""
    next_at: datetime | None
    """When it is tried next; None: it is not."""
    delivered_at: datetime | None
    log: list[dict[str, Any]]


_ROW = (
    "SELECT d.id, d.webhook_id, d.event_id, e.type, {body} AS body, d.created_at, d.state, d.attempts,"
    " CASE WHEN d.state = 'waiting' THEN greatest(d.next_at, w.not_before) END AS next_at, d.delivered_at, d.log"
    " FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id JOIN webhooks w ON w.id = d.webhook_id"
)


async def lease_due(connection: Connection, lease_s: float, passed_over: list[UUID]) -> WebhookLease | None:
    """Lease the webhook that has something to send and was served least recently; None if there is none.

    Args:
        lease_s: duration of the lease, seconds.
        passed_over: organizations whose webhooks are left to others.
    """
    row = await connection.fetchrow("SELECT * FROM lease_due_webhook($1, $2)", timedelta(seconds=lease_s), passed_over)
    return WebhookLease(**row) if row else None


async def take_due(connection: Connection, lease: WebhookLease, lease_s: float, most: int) -> DueRound | None:
    """Renew a lease, and return up to ``most`` due deliveries; None where the lease is lost or nothing is due."""
    webhook = await connection.fetchrow(
        "UPDATE webhooks SET lease_until = now() + $4 WHERE organization_id = $1 AND id = $2 AND fence = $3"
        " AND paused_at IS NULL AND not_before <= now() RETURNING url, secret, failures,"
        " CASE WHEN previous_until > now() THEN previous_secret END AS previous_secret",
        lease.organization_id,
        lease.webhook_id,
        lease.fence,
        timedelta(seconds=lease_s),
    )
    if webhook is None:
        return None
    rows = await connection.fetch(
        "SELECT d.id, d.event_id, e.body, d.attempts FROM webhook_deliveries d"
        " JOIN webhook_events e ON e.id = d.event_id"
        " WHERE d.organization_id = $1 AND d.webhook_id = $2 AND d.state = 'waiting' AND d.next_at <= now()"
        " ORDER BY d.next_at, d.created_at LIMIT $3",
        lease.organization_id,
        lease.webhook_id,
        most,
    )
    return DueRound(**webhook, deliveries=[DueDelivery(**row) for row in rows]) if rows else None


async def record(
    connection: Connection, lease: WebhookLease, attempts: list[WebhookAttempt], *, give_up_s: float, wait_s: float
) -> bool:
    """Store what became of a round; return whether deliveries were given up, and nothing was delivered for as long.

    Where the lease is lost nothing is stored: whoever has it sends the deliveries again, under the same ids.

    Args:
        give_up_s: after that time since its first attempt a delivery has failed for good, seconds.
        wait_s: if nothing was delivered: for how long nothing more is sent, seconds.
    """
    webhook = await connection.fetchrow(
        "SELECT failures FROM webhooks WHERE organization_id = $1 AND id = $2 AND fence = $3 FOR NO KEY UPDATE",
        lease.organization_id,
        lease.webhook_id,
        lease.fence,
    )
    if webhook is None:
        return False
    given_up = False
    for attempt in attempts:
        given_up |= await _record_attempt(connection, lease.organization_id, attempt, give_up_s) == "failed"
    failed = sum(not attempt.delivered for attempt in attempts)
    if failed < len(attempts):
        await connection.execute(
            "UPDATE webhooks SET failures = $3, failing_since = CASE WHEN $3 > 0 THEN now() END, not_before = now()"
            " WHERE organization_id = $1 AND id = $2",
            lease.organization_id,
            lease.webhook_id,
            failed,
        )
        if webhook["failures"] >= DOWN_AFTER:
            await connection.execute(
                "UPDATE webhook_deliveries SET next_at = now() WHERE organization_id = $1 AND webhook_id = $2"
                " AND state = 'waiting' AND next_at > now()",
                lease.organization_id,
                lease.webhook_id,
            )
        return False
    hopeless = await connection.fetchval(
        "UPDATE webhooks SET failures = failures + $3, failing_since = coalesce(failing_since, now()),"
        " not_before = now() + $4 WHERE organization_id = $1 AND id = $2"
        " RETURNING failing_since <= now() - $5::interval",
        lease.organization_id,
        lease.webhook_id,
        failed,
        timedelta(seconds=wait_s),
        timedelta(seconds=give_up_s) / 2,
    )
    return given_up and bool(hopeless)


async def _record_attempt(
    connection: Connection, organization_id: UUID, attempt: WebhookAttempt, give_up_s: float
) -> str:
    """Store an attempt; return the state of its delivery, empty if that was deleted."""
    entry = {"at": attempt.at, "status": attempt.status, "error": attempt.error, "ms": attempt.ms}
    state: str | None = await connection.fetchval(
        "UPDATE webhook_deliveries SET attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, now()),"
        " state = CASE WHEN $3 THEN 'delivered'"
        " WHEN now() + $4 > coalesce(first_attempt_at, now()) + $5 THEN 'failed' ELSE 'waiting' END,"
        " next_at = now() + $4, delivered_at = CASE WHEN $3 THEN now() ELSE delivered_at END,"
        " log = CASE WHEN jsonb_array_length(log) >= $7 THEN log - 0 ELSE log END || $6::jsonb"
        " WHERE organization_id = $1 AND id = $2 RETURNING state",
        organization_id,
        attempt.delivery_id,
        attempt.delivered,
        timedelta(seconds=attempt.retry_after_s),
        timedelta(seconds=give_up_s),
        [entry],
        MAX_LOG,
    )
    return state or ""


async def release(connection: Connection, lease: WebhookLease) -> None:
    """End a lease."""
    await connection.execute(
        "UPDATE webhooks SET lease_until = NULL WHERE organization_id = $1 AND id = $2 AND fence = $3",
        lease.organization_id,
        lease.webhook_id,
        lease.fence,
    )


async def find(connection: Connection, organization_id: UUID, webhook_id: UUID, id_: UUID) -> WebhookDeliveryRow | None:
    """Return a delivery of a webhook, or None."""
    row = await connection.fetchrow(
        _ROW.format(body="e.body") + " WHERE d.organization_id = $1 AND d.webhook_id = $2 AND d.id = $3",
        organization_id,
        webhook_id,
        id_,
    )
    return WebhookDeliveryRow(**row) if row else None


async def list_page(
    connection: Connection,
    organization_id: UUID,
    webhook_id: UUID,
    limit: int,
    before: tuple[datetime, UUID] | None,
    state: str | None,
) -> list[WebhookDeliveryRow]:
    """Return up to ``limit`` deliveries of a webhook, newest first, without their bodies.

    Args:
        before: the last delivery of the page before: when it was queued first, and id.
        state: only those; None: all.
    """
    values: list[object] = [organization_id, webhook_id, *(before or (None, None)), limit]
    of_state = ""
    if state is not None:
        values.append(state)
        of_state = " AND d.state = $6"
    rows = await connection.fetch(
        _ROW.format(body="''") + " WHERE d.organization_id = $1 AND d.webhook_id = $2"
        " AND ($3::timestamptz IS NULL OR (d.created_at, d.id) < ($3, $4::uuid))"
        f"{of_state} ORDER BY d.created_at DESC, d.id DESC LIMIT $5",
        *values,
    )
    return [WebhookDeliveryRow(**row) for row in rows]


async def replay(connection: Connection, organization_id: UUID, webhook_id: UUID, id_: UUID | None, most: int) -> int:
    """Queue deliveries once more, under the same ids; return how many.

    Args:
        id_: of one delivery, whatever became of it; None: those that have failed, newest first.
        most: at most so many.
    """
    queued = await connection.execute(
        "UPDATE webhook_deliveries SET state = 'waiting', next_at = now(), first_attempt_at = NULL, attempts = 0"
        " WHERE organization_id = $1 AND webhook_id = $2 AND id IN (SELECT d.id FROM webhook_deliveries d"
        " WHERE d.organization_id = $1 AND d.webhook_id = $2 AND (d.id = $3 OR $3::uuid IS NULL AND d.state = 'failed')"
        " ORDER BY d.created_at DESC LIMIT $4)",
        organization_id,
        webhook_id,
        id_,
        most,
    )
    count = int(queued.removeprefix("UPDATE "))
    if count:
        await connection.execute("SELECT pg_notify($1, '')", WEBHOOKS_CHANNEL)
    return count


async def delete_old(connection: Connection, days: int, most: int) -> int:
    """Delete up to ``most`` deliveries, of any organization, that are older; return how many rows went."""
    deleted: int = await connection.fetchval("SELECT delete_old_webhook_deliveries($1, $2)", days, most)
    return deleted
