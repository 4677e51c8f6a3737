"""The operator sees what organizations use, and gives one of them quotas of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from cli.__main__ import parser
from cli.database_roles import OWNER
from cli.home import NotRunning
from cli.organizations import POLICY, days, quota, redacted, run_organizations, size
from cli.postgres import PostgresServer
from cli.settings import BadSettings
from server.policy import SETTINGS
from server.quotas import UNLIMITED
from server.storage.pool import Database
from tests.server.storage.rows import HASH, make_user, queued_meeting


def test_quotas_are_numbers_with_units() -> None:
    assert [quota(text) for text in ("0", "600", "50G", "1K", "2T")] == [0, 600, 50 * 1024**3, 1024, 2 * 1024**4]
    assert (quota("unlimited"), quota("default")) == (UNLIMITED, None)
    for text in ("", "G", "-1", "1.5G", "1g", "many", "9" * 19, "99999999T", "٣"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a quota"):
            quota(text)


def test_days_are_numbers_or_never() -> None:
    assert [days(text) for text in ("1", "36500", "never", "0")] == [1, 36_500, 0, 0]
    for text in ("", "-1", "36501", "1.5", "a year"):
        with pytest.raises(argparse.ArgumentTypeError, match="is no number of days"):
            days(text)


def test_kinds_of_redaction_are_a_list_or_nothing() -> None:
    assert [redacted(text) for text in ("name,email", "nothing", "")] == ["email,name", "", ""]
    with pytest.raises(argparse.ArgumentTypeError, match="must be one or several of email, phone, card, iban, name"):
        redacted("all")


def test_every_setting_has_an_option() -> None:
    assert set(POLICY) == set(SETTINGS)


def test_sizes_are_read_by_people() -> None:
    assert [size(value) for value in (0, 1023, 1024, 3 * 1024**3, UNLIMITED)] == [
        "0 B",
        "1023 B",
        "1 KiB",
        "3 GiB",
        "unlimited",
    ]


@pytest.fixture
async def organizations(
    owner: Database,
    database: Database,
    postgres: PostgresServer,
    database_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of them, one with a meeting; the command knows their database."""
    url = postgres.url(OWNER).removesuffix("/postgres") + f"/{database_name}"
    monkeypatch.setenv("MEETRA_DATABASE_OWNER_URL", url)
    monkeypatch.setenv("MEETRA_QUOTA_STORED_BYTES", str(5 * 1024**2))
    await queued_meeting(database, await make_user(owner, "With [b]"), HASH)
    await make_user(owner, "Other")


async def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = await run_organizations(parser().parse_args(["organizations", *arguments]))
    return code, capsys.readouterr().out


async def test_it_shows_use_and_limits(organizations: None, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = await run(capsys)
    assert code == 0
    _, other, with_meeting = [line.split("  ") for line in shown.splitlines()]
    assert other[0].strip() == "Other"
    cells = [cell.strip() for cell in with_meeting if cell.strip()]
    assert cells[:3] == ["With [b]", "1", "1 B of 5 MiB"]


async def test_it_changes_one(organizations: None, capsys: pytest.CaptureFixture[str], owner: Database) -> None:
    code, shown = await run(capsys, "Other", "--stored-bytes", "2G", "--uploads-at-once", "unlimited")
    assert code == 0
    assert "0 B of 2 GiB" in shown
    assert "unlimited" in shown
    assert "With" not in shown
    _, shown = await run(capsys, "Other", "--stored-bytes", "default")
    assert "0 B of 5 MiB" in shown
    kept = await owner.run(lambda c: c.fetchval("SELECT uploads_at_once FROM organizations WHERE name = 'Other'"))
    assert kept == UNLIMITED


async def test_it_changes_the_policy_of_one(organizations: None, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = await run(capsys, "Other", "--retention-audio-days", "30")
    assert code == 0
    rows = dict(line.split() for line in shown.splitlines() if line.strip().startswith("retention"))
    assert rows["retention-audio-days"] == "30"
    assert rows["retention-meeting-days"] == "never"
    _, shown = await run(capsys, "Other", "--redact", "phone,email")
    assert "email,phone" in shown
    _, shown = await run(capsys, "Other", "--redact", "nothing")
    assert "email,phone" not in shown
    _, shown = await run(capsys, "With [b]")
    assert "30" not in shown
    assert (await run(capsys, "--retention-audio-days", "30"))[0] == 2
    assert (await run(capsys, "Nobody", "--retention-audio-days", "30"))[0] == 1


async def test_mistakes_are_named(
    organizations: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert await run(capsys, "Nobody") == (1, "organization not found: Nobody\n")
    assert await run(capsys, "Nobody", "--stored-bytes", "1") == (1, "organization not found: Nobody\n")
    assert (await run(capsys, "--stored-bytes", "1"))[0] == 2
    monkeypatch.setenv("MEETRA_QUOTA_STORED_BYTES", "much")
    with pytest.raises(BadSettings, match="MEETRA_QUOTA_STORED_BYTES"):
        await run(capsys)
    monkeypatch.delenv("MEETRA_QUOTA_STORED_BYTES")
    monkeypatch.delenv("MEETRA_DATABASE_OWNER_URL")
    with pytest.raises(NotRunning):
        await run(capsys, "--data", str(tmp_path))
