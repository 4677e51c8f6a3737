"""Writes the audit log: what matters before the answer, the rest within a second."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from datetime import UTC, date, datetime
from uuid import UUID

from server.audit.repeats import LONG_WINDOW, Repeats, without_details
from server.storage import AuditEvent, Database, DatabaseUnavailable, ReferenceDeleted, audit

log = logging.getLogger(__name__)
FLUSH_EVERY_S = 1.0
# Events that wait to be written; more are only counted.
MAX_PENDING = 10_000
# Of one statement.
BATCH = 1000
# What is written singly, however much there was today: each needs something that was there.
NEVER_COUNTED = frozenset({"delete", "export"})


class AuditTrail:
    """The audit log of one process.

    Args:
        rows_per_day: rows of an action that an organization has on a day (UTC) before events are only counted.
    """

    def __init__(self, database: Database, rows_per_day: int) -> None:
        self._database = database
        self._rows_per_day = rows_per_day
        self._repeats = Repeats()
        self._pending: list[AuditEvent] = []
        self._rows_today: dict[tuple[UUID, str], tuple[date, int]] = {}
        self._flushing = asyncio.Lock()

    async def write(self, event: AuditEvent) -> bool:
        """Write an event now; it is in the database when this returns.

        Returns False for one that is only counted, because the organization has had so many today.
        Raises DatabaseUnavailable, and ReferenceDeleted if the organization is gone.
        """
        singly = event.begun_id is not None or (event.action in NEVER_COUNTED and event.status == "OK")
        if self._is_full(event) and not singly:
            self.note(event)
            return False
        await self._add(event.organization_id, [event])
        return True

    def note(self, event: AuditEvent) -> None:
        """Have an event written within a second; one equal to another of the last minute is counted instead."""
        if self._is_full(event) or len(self._pending) >= MAX_PENDING:
            # An event that only says that a call began: how it ends will be noted, too.
            if event.status:
                self._pending += self._repeats.add(without_details(event), LONG_WINDOW)
            return
        self._pending += self._repeats.add(event)

    async def run(self) -> None:
        """Write what is noted, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self.flush()

    async def close(self) -> None:
        """Write all that is noted."""
        self._pending += self._repeats.take_all()
        await self.flush()

    async def flush(self) -> None:
        """Write what waits; what the database does not take stays for the next time."""
        async with self._flushing:
            self._pending += self._repeats.take_ended(datetime.now(UTC))
            waiting: dict[UUID, list[AuditEvent]] = defaultdict(list)
            for event in self._pending:
                waiting[event.organization_id].append(event)
            self._pending = []
            kept: list[AuditEvent] = []
            try:
                for organization_id in list(waiting):
                    kept += await self._write_all(organization_id, waiting[organization_id])
                    del waiting[organization_id]
            finally:
                # Also when this is cancelled: an event that was written already is not written twice.
                self._pending = [*kept, *(event for events in waiting.values() for event in events), *self._pending]

    async def _write_all(self, organization_id: UUID, events: list[AuditEvent]) -> list[AuditEvent]:
        """Write events of an organization, and return those that have to wait."""
        kept = []
        for start in range(0, len(events), BATCH):
            batch = events[start : start + BATCH]
            try:
                await self._add(organization_id, batch)
            except DatabaseUnavailable as error:
                log.warning("%d audit events wait for the database: %s", len(batch), error)
                kept += batch
            except ReferenceDeleted:
                # Its log went with the organization.
                return []
            except Exception:
                # A fault of ours: it must not stop the log of everybody.
                log.exception("%d audit events could not be written", len(batch))
        return kept

    async def _add(self, organization_id: UUID, events: list[AuditEvent]) -> None:
        rows = await self._database.run(
            lambda c: audit.add(c, organization_id, events), organization_id=organization_id
        )
        today = datetime.now(UTC).date()
        for action, count in rows.items():
            self._rows_today[organization_id, action] = (today, count)

    def _is_full(self, event: AuditEvent) -> bool:
        day, rows = self._rows_today.get((event.organization_id, event.action), (None, 0))
        return rows >= self._rows_per_day and day == datetime.now(UTC).date()
