"""A track that no engine takes on says so, after a while: others do not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from server.engine import SessionBroke
from server.live import track_feed
from server.live.track_feed import MAX_FAILURES_WITHOUT_PROGRESS
from tests.server.live.test_track_feed_pauses import FIRST, PATIENCE_S, SECOND, track


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_track_that_waits_for_a_busy_engine_is_unheard_until_one_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_feed, "MAX_UNHEARD_S", 0.5)
    async with track(tmp_path) as made:
        made.engine.busy = True
        assert not made.feed.is_unheard
        await made.append(FIRST)
        await until(lambda: made.feed.is_unheard)
        made.engine.busy = False
        await made.engine.session()
        await until(lambda: not made.feed.is_unheard)


async def test_a_track_that_engines_fail_at_is_unheard_for_good(tmp_path: Path) -> None:
    async with track(tmp_path, idle_s=3600) as made:
        await made.append(FIRST)
        for _ in range(MAX_FAILURES_WITHOUT_PROGRESS):
            assert not made.feed.is_unheard
            (await made.engine.session()).die()
        with pytest.raises(SessionBroke):
            await made.result()
        assert made.feed.is_unheard
        await made.append(SECOND)
        assert made.feed.is_unheard
