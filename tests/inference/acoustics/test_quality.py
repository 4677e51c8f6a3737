"""Windows that wait for their scores: few of a recording, many of a live meeting, none lost."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from inference.acoustics.quality import MAX_WAITING, MAX_WAITING_LIVE, QualityScorer
from inference.models import OpinionScores, Samples

WINDOW = 160
SPEECH = np.ones(1, np.float32)


class SlowJudge:
    """Scores a window by its first sample, once it is let."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()
        self.heard: list[Samples] = []

    async def __call__(self, window: Samples) -> OpinionScores:
        await self.may_go_on.wait()
        self.heard.append(window)
        return OpinionScores(float(window[0]), 1.0, 1.0)


@pytest.mark.parametrize(("live", "most"), [(False, MAX_WAITING), (True, MAX_WAITING_LIVE)])
async def test_so_many_windows_wait_and_all_are_judged_in_order(live: bool, most: int) -> None:
    judge = SlowJudge()
    track = QualityScorer(WINDOW, judge, live=live)
    # After the sixth every second is judged: 28 windows are 17 to judge, of which no live meeting waits.
    windows = [np.full(WINDOW, number / 32768, np.float32) for number in range(1, 29)]
    pushed = 0

    async def push() -> None:
        nonlocal pushed
        for window in windows:
            await track.push(window, SPEECH)
            pushed += 1

    pushing = asyncio.create_task(push())
    for _ in range(200):  # as far as it goes without the judge
        await asyncio.sleep(0)
    assert pushed == (28 if live else most)
    judge.may_go_on.set()
    await pushing
    judged = await track.finish()
    starts = [round(one.start_s * 16_000) // WINDOW for one in judged]
    assert starts == [*range(6), *range(7, 28, 2)]
    assert [one.scores.overall for one in judged] == [(start + 1) / 32768 for start in starts]
    assert all(np.array_equal(window, windows[start]) for window, start in zip(judge.heard, starts, strict=True))


async def test_what_waits_is_given_up_at_the_end_of_a_session() -> None:
    judge = SlowJudge()
    track = QualityScorer(WINDOW, judge, live=True)
    for _ in range(3):
        await track.push(np.full(WINDOW, 0.5, np.float32), SPEECH)
    await asyncio.wait_for(track.close(), 60)
    assert not judge.heard
