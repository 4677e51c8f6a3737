"""What an organization may still upload is one sum, whatever runs at once and however it ends."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from server.disk import DiskFull, DiskReserve
from server.errors import QuotaExceeded
from server.meetings.upload_allowance import DISK_LOOK_BYTES, UploadAllowance, UploadAllowances
from server.quotas import UNLIMITED, Quotas
from server.storage import quotas
from server.storage.pool import Database
from tests.server.storage.rows import make_user


def allowances(database: Database, folder: Path, reserve_bytes: int = 0, **limits: int) -> UploadAllowances:
    allowed = dict.fromkeys(Quotas.__dataclass_fields__, UNLIMITED) | limits
    return UploadAllowances(database, Quotas(**allowed), DiskReserve(folder, reserve_bytes))


async def test_uploads_at_once_spend_one_allowance(owner: Database, database: Database, tmp_path: Path) -> None:
    organization_id = (await make_user(owner)).organization_id
    made = allowances(database, tmp_path, upload_bytes_per_day=1000)
    async with made.admit(organization_id, 0) as first, made.admit(organization_id, 500) as second:
        first.spend(600)
        second.spend(400)
        for allowance in (first, second):
            with pytest.raises(QuotaExceeded) as raised:
                allowance.spend(1)
            assert raised.value.facts["used"] == "1000"
        with pytest.raises(QuotaExceeded):
            async with made.admit(organization_id, 0):
                pytest.fail("nothing is left")
    with pytest.raises(QuotaExceeded):
        async with made.admit(organization_id, 0):
            pytest.fail("nothing is left")


async def test_what_was_received_counts_however_the_upload_ended(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    organization_id = (await make_user(owner)).organization_id
    made = allowances(database, tmp_path)

    async def receive(error: type[BaseException]) -> None:
        async with made.admit(organization_id, 0) as allowance:
            allowance.spend(100)
            raise error

    for error in (ValueError, asyncio.CancelledError):
        with suppress(error):
            await receive(error)
    use = await database.run(lambda c: made.find_use(c, organization_id), organization_id=organization_id)
    assert use.upload_bytes == 200


async def test_threads_never_spend_more_than_there_is(owner: Database, database: Database, tmp_path: Path) -> None:
    organization_id = (await make_user(owner)).organization_id
    made = allowances(database, tmp_path, upload_bytes_per_day=1000)

    def spend(allowance: UploadAllowance) -> int:
        spent = 0
        with suppress(QuotaExceeded):
            while True:
                allowance.spend(1)
                spent += 1
        return spent

    async with made.admit(organization_id, 0) as first, made.admit(organization_id, 0) as second:
        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(spend, (first, second))) == 1000


async def test_stored_bytes_count_what_comes(owner: Database, database: Database, tmp_path: Path) -> None:
    organization_id = (await make_user(owner)).organization_id
    made = allowances(database, tmp_path, stored_bytes=1000)
    with pytest.raises(QuotaExceeded) as raised:
        async with made.admit(organization_id, 1001):
            pytest.fail("there is no room")
    assert raised.value.facts["quota"] == "stored_bytes"
    async with made.admit(organization_id, 1000) as allowance:
        allowance.spend(1000)
        with pytest.raises(QuotaExceeded):
            allowance.spend(1)


async def test_used_up_minutes_stop_uploads_until_the_day_ends(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    organization_id = (await make_user(owner)).organization_id
    made = allowances(database, tmp_path, minutes_per_day=1)
    await owner.run(
        lambda c: c.execute(
            "INSERT INTO organization_days (organization_id, analysed_ms) VALUES ($1, 60000)", organization_id
        )
    )
    with pytest.raises(QuotaExceeded) as raised:
        async with made.admit(organization_id, 0):
            pytest.fail("no minute is left")
    assert (raised.value.facts["quota"], raised.value.facts["used"]) == ("minutes_per_day", "1")
    await owner.run(lambda c: c.execute("UPDATE organization_days SET day = day - 1"))
    async with made.admit(organization_id, 0):
        pass


async def test_a_quota_that_changes_holds_from_the_next_upload_on(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    organization_id = (await make_user(owner)).organization_id
    made = allowances(database, tmp_path)
    await owner.run(lambda c: quotas.override(c, "Org", {"uploads_at_once": 1}))
    async with made.admit(organization_id, 0):
        with pytest.raises(QuotaExceeded, match="may upload 1 recordings at once"):
            async with made.admit(organization_id, 0):
                pytest.fail("one is running")
    async with made.admit(organization_id, 0):
        pass


async def test_the_disk_is_looked_at_before_and_while_an_upload_comes(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    organization_id = (await make_user(owner)).organization_id
    with pytest.raises(DiskFull):
        async with allowances(database, tmp_path, reserve_bytes=2**60).admit(organization_id, 0):
            pytest.fail("nothing is to come on this disk")
    with pytest.raises(DiskFull):
        async with allowances(database, tmp_path).admit(organization_id, 2**60):
            pytest.fail("there is not so much room")
    async with allowances(database, tmp_path).admit(organization_id, 0) as allowance:
        allowance._disk = DiskReserve(tmp_path, 2**60)
        allowance.spend(DISK_LOOK_BYTES - 1)
        with pytest.raises(DiskFull):
            allowance.spend(1)
