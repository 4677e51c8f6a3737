"""A meeting whose inference server is killed, or stands still, goes on at another one as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from meetra.v1 import live_pb2 as pb

from server.conversation import Event, ReadyEvent
from server.engine import inference_client, model_label
from server.engine.inference_client import InferenceClient
from server.live.published_state import PublishedState
from server.live.source_log import TrackLog
from server.live.track_cuts import TrackCuts
from server.live.track_feed import TrackFeed
from server.live.track_log import MeetingAudio
from tests.recordings import ROOT
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING, stored

pytestmark = pytest.mark.children

CONFIG = of_kinds(PARTICIPANT)
PATIENCE_S = 300
# Whole blocks: the engine is sent them at once.
HALF_SAMPLES, HALF_S = 16 * 8192, 8
NAMES = ("one", "other")


@contextmanager
def replicas() -> Iterator[dict[str, tuple[subprocess.Popen[str], str]]]:
    """Two inference servers by name, each with its address; killed at the end."""
    command = [sys.executable, "-m", "tests.server.live.replica_child"]
    started = {
        name: subprocess.Popen([*command, name], cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
        for name in NAMES
    }
    try:
        found = {}
        for name, process in started.items():
            assert process.stdout is not None
            found[name] = process, f"127.0.0.1:{int(process.stdout.readline())}"
        yield found
    finally:
        for process in started.values():
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


async def held(folder: Path, disturbance: signal.Signals | None) -> tuple[list[pb.LiveEvent], list[Event], list[str]]:
    """A meeting of two halves: what clients were told of it, its result, and the servers that heard its halves.

    Args:
        disturbance: the signal that the server gets that has heard the first half; None: none.
    """
    told, events, said_more = PublishedState(CONFIG, MEETING), [], asyncio.Condition()
    told.turns.settle_speakers(0)
    folder.mkdir()
    with replicas() as found, ThreadPoolExecutor(1) as syncing:
        client = InferenceClient(",".join(address for _, address in found.values()), stall_s=1.5)
        audio = MeetingAudio([TrackLog(CONFIG.tracks[0], folder / "t0.log")], folder / "holder", syncing)
        await audio.open()

        async def tell() -> None:
            async with said_more:
                events.extend(stored(told.changes(())))
                said_more.notify_all()

        feed = TrackFeed(
            MEETING,
            CONFIG,
            0,
            audio,
            told,
            client,
            tell,
            organization_id=MEETING,
            idle_s=3600,
            cuts=TrackCuts(folder / "cuts"),
        )

        def seconds_told() -> int:
            return max((e.turn.end_ms // 1000 + 1 for e in events if e.WhichOneof("event") == "turn"), default=0)

        hearing = asyncio.create_task(feed.run())
        halves = []
        for half in (1, 2):
            await audio.append(audio.logs[0], bytes(2 * HALF_SAMPLES))
            async with said_more, asyncio.timeout(PATIENCE_S):
                await said_more.wait_for(lambda half=half: seconds_told() == HALF_S * half)  # type: ignore[misc]
            assert feed.engine is not None
            (model,) = map(model_label, feed.engine.models)
            halves.append(model.rpartition(" ")[2])
            if half == 1 and disturbance is not None:
                found[halves[0]][0].send_signal(disturbance)
        await audio.end()
        async with asyncio.timeout(PATIENCE_S):
            result = await hearing
        await client.close()
        await audio.close()
    return events, [event for event in result.events if not isinstance(event, ReadyEvent)], halves


def final_turns(events: list[pb.LiveEvent]) -> list[tuple[int, int, int, str]]:
    """Each time that a turn was told as final: its segment, span and words."""
    final = [
        event.turn
        for event in events
        if event.WhichOneof("event") == "turn" and event.turn.state == pb.LIVE_TURN_STATE_FINAL
    ]
    return [(t.segment_id, t.start_ms, t.end_ms, " ".join(word.text for word in t.words)) for t in final]


async def test_meetings_equal_the_undisturbed_one_whatever_happens_to_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_client, "LOOK_EVERY_S", 0.1)
    events, result, halves = await held(tmp_path / "undisturbed", None)
    assert halves[0] == halves[1]
    assert len(final_turns(events)) == 2 * HALF_S - 2
    for disturbance in (signal.SIGKILL, signal.SIGSTOP):
        again, same, halves = await held(tmp_path / disturbance.name, disturbance)
        assert halves[0] != halves[1], disturbance
        assert same == result, disturbance
        # None is told twice, and none is told otherwise.
        assert final_turns(again) == final_turns(events), disturbance
