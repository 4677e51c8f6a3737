"""One look at an address: a wrong one is said at once."""

from __future__ import annotations

import pytest

from meetra_client import MeetraClient, Unreachable
from meetra_client.reachability import PROXY_VARIABLES
from tests.clients.python.server import CrookedServer


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:1", id="nobody listens"),
        pytest.param("http://nowhere.invalid", id="no such name"),
        pytest.param(f"http://{'a' * 70}.example", id="no name at all"),
    ],
)
async def test_what_does_not_answer_is_named(url: str) -> None:
    with pytest.raises(Unreachable, match=f"cannot reach {url}: "):
        await MeetraClient(url, token="a token").check_reachable()


@pytest.mark.usefixtures("no_proxy")
async def test_what_answers_is_reachable(crooked: tuple[CrookedServer, str]) -> None:
    await MeetraClient(crooked[1], token="a token").check_reachable()


async def test_behind_a_proxy_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    await MeetraClient("http://nowhere.invalid", token="a token").check_reachable()
