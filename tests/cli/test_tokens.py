"""``meetra tokens``: keys are listed, replaced and revoked in their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.__main__ import parser
from cli.home import Home
from cli.settings import BadSettings
from cli.tokens import run_tokens
from server.auth import UnusableTokenKeys, read_keys


async def test_keys_are_made_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "deep" / "keys"

    async def run(*arguments: str) -> list[str]:
        assert await run_tokens(parser().parse_args(["tokens", *arguments, "--keys", str(folder)])) == 0
        return capsys.readouterr().out.splitlines()

    with pytest.raises(UnusableTokenKeys, match="meetra tokens rotate --keys"):
        await run("list")
    (said,) = await run("rotate")
    (first,) = read_keys(folder).keys
    assert said == f"new key {first.key_id}; it signs at once"
    (said,) = await run("rotate")
    assert "; it signs from 20" in said
    listed = [line.split() for line in await run("list")]
    assert [line[0] for line in listed] == [key.key_id for key in read_keys(folder).keys]
    assert [line[5:7] for line in listed] in ([["signs"], ["signs", "from"]], [["verifies"], ["signs"]])
    (said,) = await run("revoke", first.key_id)
    assert said == f"key {first.key_id} revoked; its users log in again"
    assert first.key_id not in {key.key_id for key in read_keys(folder).keys}
    with pytest.raises(UnusableTokenKeys, match="there is no key"):
        await run("revoke", "../../etc/passwd")


async def test_without_a_folder_the_keys_are_those_of_the_data(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    await run_tokens(parser().parse_args(["tokens", "rotate", "--data", str(tmp_path)]))
    assert len(read_keys(home.token_keys).keys) == 1


async def test_a_setting_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETRA_TOKEN_TTL_S", "never")
    with pytest.raises(BadSettings, match="MEETRA_TOKEN_TTL_S"):
        await run_tokens(parser().parse_args(["tokens", "rotate", "--keys", str(tmp_path / "keys")]))
