"""Look after one inference server of the cluster: where it is, whether it makes progress, how much it has to do."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from grpc import StatusCode, aio
from meetra.inference.v2 import session_pb2, session_pb2_grpc

from inference.ray.channel import ReplicaTls, open_channel
from inference.ray.progress import LOOKS_WITHOUT_ANSWER, Load, Progress
from inference.ray.ray_cluster import ClusterUnavailable, RayCluster, Replica, ReplicaLost
from inference.ray.replica_actor import Place

# How often it is looked at, seconds.
LOOK_EVERY_S = 1.0
# How long Ray may take to place it before that is said, seconds.
PLACING_NOTICE_S = 60.0
# After so many seconds one whose settings are unusable on its node is tried anew, and a cluster that does not answer.
TRY_AGAIN_S = 60.0
log = logging.getLogger(__name__)


class ReplicaWatch:
    """One inference server, from its start to its end for good."""

    def __init__(
        self, cluster: RayCluster, number: int, *, stall_s: float, start_s: float, tls: ReplicaTls | None
    ) -> None:
        """
        Args:
            number: its number; one that runs is taken over, else it is started.
            stall_s: time without progress after which it is replaced, seconds.
            start_s: time after which it is replaced if it still loads its models, seconds.
            tls: None for plain text.
        """
        self.number = number
        self.address = ""
        """Where it takes sessions; empty: it does not."""
        self.metrics = ""
        """Where it serves its metrics, from its first answer on; empty: nowhere."""
        self.load: Load | None = None
        """None while it takes none, and before it was looked at."""
        self.placed = False
        """Whether it is on a node, as far as is known."""
        self.draining_since: float | None = None
        """Since when it is to end once it is empty, seconds of ``time.monotonic``; None: it is not."""
        self._cluster, self._stall_s, self._start_s, self._tls = cluster, stall_s, start_s, tls
        self._watching = self._begin()

    def check(self) -> None:
        """Raise what ended the watch, if anything unforeseen did."""
        if self._watching.done():
            self._watching.result()

    async def leave(self) -> None:
        """Look after it no more; it goes on."""
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)

    async def end(self) -> bool:
        """End it for good, and look after it no more; False where the cluster does not do it, and it goes on."""
        await self.leave()
        try:
            await (await self._cluster.replica(self.number)).kill(restart=False)
        except ReplicaLost:
            return True
        except ClusterUnavailable as error:
            log.error("replica %d does not end: %s", self.number, error)
            self._watching = self._begin()
            return False
        return True

    def _begin(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._watch(), name=f"watch replica {self.number}")

    async def _watch(self) -> None:
        while True:
            try:
                replica, place = await self._placed()
                self.placed = True
                if place.failure:
                    log.error("replica %d on %s: %s", self.number, place.address, place.failure)
                    await asyncio.sleep(TRY_AGAIN_S)
                    await replica.kill(restart=True)
                else:
                    await self._look_after(replica, place)
            except ReplicaLost as lost:
                log.warning("replica %d is lost (%s): Ray starts it anew", self.number, lost)
            except ClusterUnavailable as error:
                log.error("replica %d: %s", self.number, error)
                await asyncio.sleep(TRY_AGAIN_S)
            finally:
                self.address, self.metrics, self.load, self.placed = "", "", None, False

    async def _placed(self) -> tuple[Replica, Place]:
        """Return it and where it is, once Ray has found a node and started it. Raises ClusterUnavailable."""
        began, noticed = time.monotonic(), False
        while True:
            replica = await self._cluster.replica(self.number)
            asked = asyncio.create_task(replica.place())
            try:
                while not asked.done():
                    await asyncio.wait({asked}, timeout=LOOK_EVERY_S)
                    if not noticed and time.monotonic() - began > PLACING_NOTICE_S:
                        log.warning("replica %d does not run: Ray has no node with room for it", self.number)
                        noticed = True
                return replica, asked.result()
            except ReplicaLost:
                # Ray has no place for it yet, or its actor ended at once.
                await asyncio.sleep(LOOK_EVERY_S)
            finally:
                asked.cancel()

    async def _look_after(self, replica: Replica, place: Place) -> None:
        """Look at it until it is lost, is somewhere else, or is killed because it hangs. Raises ReplicaLost."""
        progress, began = Progress(self._stall_s), time.monotonic()
        asked = asyncio.create_task(replica.place())
        try:
            async with open_channel(place.address, self._tls) as channel:
                stub = session_pb2_grpc.SessionServiceStub(channel)
                while True:
                    answer = await self._ask(stub)
                    if asked.done():
                        if asked.result() != place:
                            return
                        asked = asyncio.create_task(replica.place())
                    if answer is None and progress.load is None:
                        # It loads its models.
                        hangs = "does not answer" if time.monotonic() - began > self._start_s else ""
                    else:
                        hangs = progress.note(time.monotonic(), answer)
                    if hangs:
                        log.error("replica %d at %s %s: it is replaced", self.number, place.address, hangs)
                        self.address = ""
                        await replica.kill(restart=True)
                        return
                    if answer is not None:
                        if not self.address:
                            log.info("replica %d takes sessions at %s", self.number, place.address)
                        self.address, self.metrics, self.load = place.address, place.metrics, progress.load
                    await asyncio.sleep(LOOK_EVERY_S)
        finally:
            asked.cancel()

    async def _ask(self, stub: Any) -> session_pb2.GetStatisticsResponse | None:
        """Return what it says of itself; None where it does not answer in time."""
        try:
            answer: session_pb2.GetStatisticsResponse = await stub.GetStatistics(
                session_pb2.GetStatisticsRequest(), timeout=self._stall_s / LOOKS_WITHOUT_ANSWER
            )
        except aio.AioRpcError as error:
            if error.code() == StatusCode.UNAVAILABLE:
                # It is not reached: no session can be opened there.
                self.address, self.load = "", None
            return None
        return answer
