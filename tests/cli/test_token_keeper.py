"""The keeper of token keys: a first key, spent ones removed, and the gateway's file in line with the folder."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.home import Home
from cli.token_keeper import TokenKeeper
from server.auth import add_key, read_keys
from server.config import TokenSettings

PATIENCE_S = 300


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A data folder."""
    home = Home(tmp_path)
    home.prepare()
    return home


def test_a_first_key_is_made_and_shown_to_the_gateway_without_its_private_half(home: Home) -> None:
    shown = home.token_filter
    TokenKeeper(home, TokenSettings(token_ttl_s=60)).tend()
    (key,) = read_keys(home.token_keys).keys
    assert key.jwk["x"] in shown.read_text()
    private = key.private.private_bytes_raw()
    assert private not in shown.read_bytes()
    assert private.hex() not in shown.read_text()


async def test_what_comes_and_what_is_spent_is_followed(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    folder, shown = home.token_keys, home.token_filter
    keeper = TokenKeeper(home, TokenSettings(token_ttl_s=60))
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
        # Without it, Envoy could not start again.
        shown.unlink()
        while not shown.exists():
            await asyncio.sleep(0.05)
        (folder / f"{second.key_id}.pem").unlink()
        old = add_key(folder, datetime.now(UTC) - timedelta(days=1))
        # The older of the two has been followed by the first one, whose minute is not over: both stay.
        while old.key_id not in shown.read_text():
            await asyncio.sleep(0.05)
        assert {key.key_id for key in read_keys(folder).keys} == {old.key_id, first.key_id}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_tokens_of_others_pass_the_gateway_where_there_is_an_issuer(home: Home) -> None:
    issuer = TokenSettings(oidc_issuer="https://login.example", oidc_audience="meetra")
    for settings, passes in ((TokenSettings(), False), (issuer, True)):
        TokenKeeper(home, settings).tend()
        (found,) = json.loads(home.token_filter.read_text())["resources"]
        of_all_methods = found["typed_config"]["rules"][-1]["requires"]
        assert ("requires_any" in of_all_methods) is passes
