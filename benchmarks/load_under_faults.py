"""Live meetings and uploads that go on while a fault is made, and what it cost them."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.live_load import rotated
from benchmarks.made_faults import Fault, Target
from benchmarks.recordings import RATE_HZ, sample_speech
from benchmarks.rest_uploads import Refused, settled, upload, upload_once
from benchmarks.stored_results import differences, result
from benchmarks.streamed_meetings import NAME, TRACK, StreamedMeeting, lost_samples, stream
from benchmarks.told_events import final_turns, keep_superseded_events, stored_events, wrong_events
from meetra_client import InternalError, MeetraError, Patience
from meetra_client.errors import ConnectionLost
from tests.recordings import excerpt, wav

# Different audio: so many meetings that nothing disturbs are what all others of one length are compared with.
KINDS = 2
UPLOAD_S, PROBE_S = 15.0, 2.0
# Of the load, before the fault is made and after it has ended.
BEFORE_S, AFTER_S = 5.0, 10.0
PROBE_TIMEOUT_S, RECOVERY_S = 10.0, 600.0
# More meetings than the machine can follow come late: they are lost once nobody would wait any longer.
PATIENCE_S = 7200.0
LOOK_EVERY_S = 0.1
# Of who asks whether all is well again: waiting is not for the client to do.
AT_ONCE = Patience(open_s=0, reconnect_s=0, call_s=0)
Pcm = NDArray[np.int16]


@dataclass
class Cost:
    """What a fault cost."""

    seen: Counter[str] = field(default_factory=Counter)
    """Answers that were no success, lost connections, refusals of live meetings; by status and reason."""
    reconnects: int = 0
    recovery_s: float = float("nan")
    """From the end of the fault until an upload is accepted and a new live meeting acknowledges audio."""
    lost_samples: int = 0
    lost_meetings: int = 0
    """Accepted, and not ready in the end."""
    different: list[str] = field(default_factory=list)
    """In what results differ from those of undisturbed meetings."""
    repeated_events: int = 0
    """Events that were told twice, or that were never stored as they were told."""
    behind_s: float = 0.0
    """The most that the words of a live meeting were behind its audio while it was streamed."""
    finishing_s: float = 0.0
    """The most that a live meeting took from its last audio to its outcome."""
    stood_still_s: float = 0.0
    """The longest that the callers did not run: a machine that is too busy is a fault of its own."""
    machine_load: float = 0.0
    """Processes that wanted to run, the highest mean of a minute."""


class LoadUnderFaults:
    """The same load again and again on one system."""

    def __init__(
        self,
        target: Target,
        live: int,
        uploads: int,
        outage_s: float,
        *,
        after_s: float = AFTER_S,
        upload_s: float = UPLOAD_S,
        kinds: int = KINDS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """
        Args:
            live, uploads: so many meetings of each kind.
            outage_s: length of faults that last, seconds.
            after_s: length of the load after a fault, seconds.
            upload_s: length of an uploaded recording, seconds.
            kinds: number of different recordings.
            patience_s: time after which a meeting that is not ready counts as lost, seconds.
        """
        self._target, self._live, self._uploads = target, live, uploads
        self._outage_s, self._after_s, self._upload_s, self._kinds = outage_s, after_s, upload_s, kinds
        self._patience_s = patience_s
        self._undisturbed: dict[int, list[StreamedMeeting]] = {}
        """By length in samples."""

    async def cost_of(self, fault: Fault) -> Cost:
        """Make a fault under load, and wait for the end of everything that was accepted."""
        cost = Cost()
        outage_s = self._outage_s if fault.lasts else 0.0
        load_s = BEFORE_S + outage_s + self._after_s
        meetings, recordings = _kinds(load_s, self._kinds), _kinds(self._upload_s, self._kinds)
        await self._keep_events()
        undisturbed = [*await self._calm(meetings), *await self._calm(recordings)]
        watching = asyncio.create_task(_watch_machine(cost))
        # Each accepted recording, and which undisturbed meeting it equals.
        accepted: dict[str, int] = {}
        with _lost_connections(cost.seen):
            async with asyncio.TaskGroup() as group:
                streams = [
                    group.create_task(self._stream(meetings[number % self._kinds], cost))
                    for number in range(self._live)
                ]
                for number in range(self._uploads):
                    kind = number % self._kinds
                    after_s = number * load_s / self._uploads
                    group.create_task(self._upload(recordings[kind], after_s, self._kinds + kind, cost, accepted))
                await asyncio.sleep(BEFORE_S)
                made = time.monotonic()
                async with fault.make(self._target):
                    if fault.lasts:
                        await asyncio.sleep(outage_s)
                    else:
                        cost.recovery_s = await self._recovered(made)
                if fault.lasts:
                    cost.recovery_s = await self._recovered(time.monotonic())
        cost.seen += self._target.told
        self._target.told.clear()
        for file_hash in accepted:
            state = await settled(self._target.http, file_hash, self._patience_s)
            if state["status"] != "ready":
                cost.lost_meetings += 1
                cost.seen[f"upload accepted: {state['status']}, {state['message']}"] += 1
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await self._judge([task.result() for task in streams], accepted, meetings, undisturbed, cost)
        return cost

    async def _keep_events(self) -> None:
        connection = await asyncpg.connect(self._target.system.database_url)
        try:
            await keep_superseded_events(connection)
        finally:
            await connection.close()

    async def _calm(self, kinds: list[Pcm]) -> list[StreamedMeeting]:
        """Meetings of this audio that nothing disturbed."""
        length = len(kinds[0])
        if length not in self._undisturbed:
            self._undisturbed[length] = [await stream(self._target.system, pcm) for pcm in kinds]
        return self._undisturbed[length]

    async def _stream(self, pcm: Pcm, cost: Cost) -> StreamedMeeting:
        streamed = StreamedMeeting()
        try:
            async with asyncio.timeout(self._patience_s):
                await stream(self._target.system, pcm, 1.0, patience_s=self._patience_s, streamed=streamed)
        except (MeetraError, TimeoutError) as error:
            cost.seen[f"live ended: {getattr(error, 'reason', '') or type(error).__name__}"] += 1
        cost.reconnects += streamed.reconnects
        cost.behind_s = max(cost.behind_s, streamed.behind_ms / 1000)
        cost.finishing_s = max(cost.finishing_s, streamed.finishing_s)
        for reason, count in streamed.refusals.items():
            cost.seen[f"live {reason}"] += count
        return streamed

    async def _upload(self, pcm: Pcm, after_s: float, kind: int, cost: Cost, accepted: dict[str, int]) -> None:
        await asyncio.sleep(after_s)
        try:
            file_hash, seen = await upload(self._target.http, wav(pcm, mark=str(uuid4())), NAME)
        except Refused as refused:
            cost.seen[f"upload given up: {refused}"] += 1
            return
        cost.seen += seen
        accepted[file_hash] = kind

    async def _recovered(self, since: float) -> float:
        """Return after how long a caller who comes anew can upload and stream; infinite: not within RECOVERY_S."""
        for probe in (self._probe_upload, self._probe_live):
            while not await self._succeeds(probe):
                if time.monotonic() - since > RECOVERY_S:
                    return float("inf")
                await asyncio.sleep(0.1)
        return time.monotonic() - since

    async def _succeeds(self, probe: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await probe()
        except (MeetraError, httpx.HTTPError, TimeoutError):
            return False
        return True

    async def _probe_upload(self) -> None:
        (await upload_once(self._target.http, excerpt(PROBE_S, mark=str(uuid4())))).raise_for_status()

    async def _probe_live(self) -> None:
        """Stream a meeting's first audio until it is acknowledged."""
        client = self._target.system.client(AT_ONCE)
        async with client, client.live(name="probe", tracks=[TRACK]) as meeting:
            await meeting.send("mix", bytes(RATE_HZ))
            await meeting.leave()

    async def _judge(
        self,
        streams: list[StreamedMeeting],
        accepted: dict[str, int],
        meetings: list[Pcm],
        undisturbed: list[StreamedMeeting],
        cost: Cost,
    ) -> None:
        connection = await asyncpg.connect(self._target.system.database_url)
        try:
            reference = [await result(connection, calm.file_hash) for calm in undisturbed]
            for file_hash, kind in accepted.items():
                if (await settled(self._target.http, file_hash, self._patience_s))["status"] == "ready":
                    found = differences(reference[kind], await result(connection, file_hash))
                    cost.different += [f"upload: {name}" for name in found]
            for number, streamed in enumerate(streams):
                kind = number % self._kinds
                if streamed.status != "ready":
                    cost.lost_meetings += 1
                    cost.seen[f"live meeting: {streamed.status or 'without an end'}"] += 1
                    continue
                cost.lost_samples += lost_samples(self._target.kept, streamed.file_hash, meetings[kind])
                stored = await stored_events(connection, streamed.session_id)
                cost.repeated_events += streamed.repeated + wrong_events(streamed.events, stored)
                found = differences(reference[kind], await result(connection, streamed.file_hash))
                if final_turns(streamed.events) != final_turns(undisturbed[kind].events):
                    found.append("turns told")
                cost.different += [f"live: {name}" for name in found]
        finally:
            await connection.close()


async def _watch_machine(cost: Cost) -> None:
    """Note how busy the machine is, and for how long the callers were kept from running, until cancelled."""
    while True:
        asleep = time.monotonic()
        await asyncio.sleep(LOOK_EVERY_S)
        cost.stood_still_s = max(cost.stood_still_s, time.monotonic() - asleep - LOOK_EVERY_S)
        cost.machine_load = max(cost.machine_load, os.getloadavg()[0])


def _kinds(seconds: float, count: int) -> list[Pcm]:
    """Different meetings of one length."""
    return rotated(sample_speech(seconds / 60), count)


class _LostConnections(logging.Handler):
    """Counts what the client says of connections that it lost."""

    def __init__(self, seen: Counter[str]) -> None:
        super().__init__()
        self._seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        lost: Any = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if isinstance(lost, ConnectionLost):
            error = lost.error
            self._seen[f"live connection: {_told(error) if error else lost}"] += 1


def _told(error: MeetraError) -> str:
    code = error.code.name if error.code else ""
    # A stream that was reset has no reason: the client takes one from the status.
    told = str(error) if isinstance(error, InternalError) else error.reason
    return f"{code} {told}".strip()


@contextmanager
def _lost_connections(seen: Counter[str]) -> Iterator[None]:
    logger, handler = logging.getLogger("meetra_client"), _LostConnections(seen)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
