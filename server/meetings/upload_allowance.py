"""What organizations may still upload: looked at before a body is read, and again with every byte of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from uuid import UUID

from monitoring import MemoryReserve
from server.disk import DiskReserve
from server.errors import QuotaExceeded, ServerOverloaded
from server.meetings.completion import run_to_completion
from server.quotas import MS_PER_MINUTE, Quotas, Use
from server.storage import Connection, Database, DatabaseUnavailable, ReferenceDeleted, quotas

# The disk is looked at each time that so much of an upload has come.
DISK_LOOK_BYTES = 8 * 1024**2
# Uploads end within minutes; nobody knows which.
RETRY_UPLOAD_S = 10
# Somebody must delete meetings, or the operator allow more.
RETRY_STORED_S = 3600
log = logging.getLogger(__name__)


@dataclass
class _Account:
    """An organization with uploads in this process."""

    use: Use
    """As the database had it when an upload last began or ended."""
    uploads: int = 0
    in_flight_bytes: int = 0
    """Received by running uploads."""
    lock: Lock = field(default_factory=Lock)

    def check(self, more_bytes: int) -> None:
        """Check that ``more_bytes`` may come. Raises QuotaExceeded."""
        use, coming = self.use, self.in_flight_bytes + more_bytes
        if use.upload_bytes + coming > use.quotas.upload_bytes_per_day:
            raise QuotaExceeded(
                "upload_bytes_per_day",
                use.quotas.upload_bytes_per_day,
                use.upload_bytes + self.in_flight_bytes,
                use.day_ends_in_s,
            )
        if use.stored_bytes + coming > use.quotas.stored_bytes:
            raise QuotaExceeded(
                "stored_bytes", use.quotas.stored_bytes, use.stored_bytes + self.in_flight_bytes, RETRY_STORED_S
            )


class UploadAllowance:
    """What one upload may still receive. Thread-safe."""

    def __init__(self, account: _Account, disk: DiskReserve) -> None:
        self._account, self._disk = account, disk
        self._looked_at_bytes = 0
        self.spent_bytes = 0

    def spend(self, size_bytes: int) -> None:
        """Account for received bytes before they are written. Raises QuotaExceeded, DiskFull."""
        with self._account.lock:
            self._account.check(size_bytes)
            self._account.in_flight_bytes += size_bytes
            self.spent_bytes += size_bytes
        if self.spent_bytes - self._looked_at_bytes >= DISK_LOOK_BYTES:
            self._looked_at_bytes = self.spent_bytes
            self._disk.require()


class UploadAllowances:
    """The allowances of all organizations, in this process."""

    def __init__(
        self, database: Database, defaults: Quotas, disk: DiskReserve, memory: MemoryReserve | None = None
    ) -> None:
        """
        Args:
            defaults: of organizations that have no quotas of their own.
            disk: the disk of the audio log.
            memory: what stays free of it; None: nothing.
        """
        self._database, self._defaults, self.disk = database, defaults, disk
        self._memory = memory or MemoryReserve(0)
        self._accounts: dict[UUID, _Account] = {}

    @asynccontextmanager
    async def admit(self, organization_id: UUID, least_bytes: int) -> AsyncIterator[UploadAllowance]:
        """Admit an upload for as long as the context lasts; what it received is then counted, however it ended.

        Args:
            least_bytes: the least size of the recording, as its sender states it; 0 if unknown.

        Raises ServerOverloaded, QuotaExceeded, DiskFull, ReferenceDeleted.
        """
        self.require_memory()
        use = await self._database.run(
            partial(self.find_use, organization_id=organization_id), organization_id=organization_id
        )
        account = self._accounts.get(organization_id) or _Account(use)
        account.use = use
        self._check_start(account, least_bytes)
        self._accounts[organization_id] = account
        account.uploads += 1
        allowance = UploadAllowance(account, self.disk)
        try:
            yield allowance
        finally:
            await run_to_completion(self._settle(organization_id, account, allowance))

    def require_memory(self) -> None:
        """Check that enough memory is free for another upload. Raises ServerOverloaded."""
        if self._memory.is_short():
            raise ServerOverloaded("memory")

    def _check_start(self, account: _Account, least_bytes: int) -> None:
        use = account.use
        if account.uploads >= use.quotas.uploads_at_once:
            raise QuotaExceeded("uploads_at_once", use.quotas.uploads_at_once, account.uploads, RETRY_UPLOAD_S)
        require_minutes(use)
        account.check(max(1, least_bytes))
        self.disk.require(least_bytes)

    async def _settle(self, organization_id: UUID, account: _Account, allowance: UploadAllowance) -> None:
        async def count(connection: Connection) -> Use:
            await quotas.count_upload(connection, organization_id, allowance.spent_bytes)
            return await self.find_use(connection, organization_id)

        try:
            if allowance.spent_bytes:
                account.use = await self._database.run(count, organization_id=organization_id, patience_s=20)
        except (DatabaseUnavailable, ReferenceDeleted) as error:
            log.warning("%d received bytes were not counted: %s", allowance.spent_bytes, error)
        finally:
            with account.lock:
                account.in_flight_bytes -= allowance.spent_bytes
            account.uploads -= 1
            if not account.uploads:
                self._accounts.pop(organization_id, None)

    async def find_use(self, connection: Connection, organization_id: UUID) -> Use:
        """Return what the organization uses. Raises ReferenceDeleted."""
        return await quotas.find_use(connection, organization_id, self._defaults)


def require_minutes(use: Use) -> None:
    """Check that more audio may be analysed today. Raises QuotaExceeded."""
    if use.analysed_ms >= use.quotas.minutes_per_day * MS_PER_MINUTE:
        raise minutes_exceeded(use)


def require_room_for_live_meeting(use: Use) -> None:
    """Check that a meeting of unknown length may begin; it is not ended by a quota later. Raises QuotaExceeded."""
    require_minutes(use)
    if use.stored_bytes >= use.quotas.stored_bytes:
        raise QuotaExceeded("stored_bytes", use.quotas.stored_bytes, use.stored_bytes, RETRY_STORED_S)


def minutes_exceeded(use: Use, less_ms: int = 0) -> QuotaExceeded:
    """Return the refusal of audio beyond the day's minutes.

    Args:
        less_ms: what ``use`` contains of the refused audio, milliseconds.
    """
    used_minutes = (use.analysed_ms - less_ms) // MS_PER_MINUTE
    return QuotaExceeded("minutes_per_day", use.quotas.minutes_per_day, used_minutes, use.day_ends_in_s)
