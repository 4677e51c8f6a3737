"""The keeper of token keys: a first key, spent ones removed, and the gateway's file in line with the folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.token_keeper import TokenKeeper
from server.auth import add_key, read_keys

PATIENCE_S = 300


def test_a_first_key_is_made_and_shown_to_the_gateway_without_its_private_half(tmp_path: Path) -> None:
    shown = tmp_path / "filter" / "filter.json"
    TokenKeeper(tmp_path / "keys", 60, shown).tend()
    (key,) = read_keys(tmp_path / "keys").keys
    assert key.jwk["x"] in shown.read_text()
    private = key.private.private_bytes_raw()
    assert private not in shown.read_bytes()
    assert private.hex() not in shown.read_text()


def test_without_a_gateway_nothing_is_shown(tmp_path: Path) -> None:
    TokenKeeper(tmp_path / "keys", 60, None).tend()
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


async def test_what_comes_and_what_is_spent_is_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder, shown = tmp_path / "keys", tmp_path / "filter" / "filter.json"
    keeper = TokenKeeper(folder, 60, shown)
    keeper.tend()
    (first,) = read_keys(folder).keys
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(PATIENCE_S):
        # Followed so long ago that no token of the first key can be valid.
        second = add_key(folder, datetime.now(UTC) + timedelta(days=1))
        while second.key_id not in shown.read_text():
            await asyncio.sleep(0.05)
        assert first.key_id in shown.read_text()
        (folder / "something else").write_text("")
        while "stay as they were" not in caplog.text:
            await asyncio.sleep(0.05)
        (folder / "something else").unlink()
        (folder / f"{second.key_id}.pem").unlink()
        old = add_key(folder, datetime.now(UTC) - timedelta(days=1))
        # The older of the two has been followed by the first one, whose minute is not over: both stay.
        while old.key_id not in shown.read_text():
            await asyncio.sleep(0.05)
        assert {key.key_id for key in read_keys(folder).keys} == {old.key_id, first.key_id}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
