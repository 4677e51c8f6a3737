"""Sends what a live meeting's files grow by to the object store.

Files are written and synced here first, whatever the policy: segments are read from them. So a store that is away
costs no memory, and is caught up with from wherever it is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from server.audio import Grown, LiveStore, Segment, SegmentName, StoreUnavailable, Superseded, live_files
from server.monitoring import LIVE_STORE_BYTES, LIVE_STORE_FAILURES, LIVE_STORE_SECONDS
from server.storage import MeetingLost

# A segment is sent at once when it would be so long, and is not longer: of 32 tracks of PCM, four seconds.
SEGMENT_BYTES = 4 * 1024 * 1024
# So many segments of a holder become one, or fewer that are long: a meeting of hours is few objects, and soon read.
JOINED = 64
# Between two tries while the store fails: each lasts as long as its patience.
RETRY_S, MAX_RETRY_S = 0.5, 10.0
# From when on clients are warned, seconds.
LATE_S = 15.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """When audio is sent, and when it counts as durable."""

    every_s: float
    """How old the first audio of a segment may become before it is sent, seconds."""
    acknowledges: bool
    """Whether audio is acknowledged only once the store has it."""


class _Pending(NamedTuple):
    """A segment that may be on its way, or there: it is sent until it is known to be there, as it is."""

    name: SegmentName
    raw: bytes
    lengths: dict[str, int]
    """Of all files after it."""
    began: float
    """When it was read, by the monotonic clock."""


class SegmentSender:
    """The segments of one meeting that this process holds."""

    def __init__(self, store: LiveStore, folder: Path, rules: SegmentRules) -> None:
        """``folder``: of the meeting's files."""
        self._store, self._folder, self._rules = store, folder, rules
        self._fence, self._next = 0, 0
        self._sent: dict[str, int] = {}
        """Lengths of the files in the store."""
        self._history: list[dict[str, int]] = []
        """Lengths before, between and after the segments that are to be joined."""
        self._pending: _Pending | None = None
        self._putting: asyncio.Future[None] | None = None
        self._durable: Callable[[], dict[str, int]] = dict
        self._on_sent: Callable[[Mapping[str, int]], None] = lambda lengths: None
        self._grown, self._progress = asyncio.Event(), asyncio.Condition()
        self._hurry = self._failing = False
        self._unsent_since: float | None = None
        self.task: asyncio.Task[None] | None = None
        """The sending; it fails with MeetingLost once a later holder has begun."""

    @property
    def acknowledges(self) -> bool:
        """Whether audio is acknowledged only once the store has it."""
        return self._rules.acknowledges

    def behind_s(self) -> float:
        """Return for how long this disk has had the oldest audio that the store lacks, seconds; 0: it lacks none."""
        return 0.0 if self._unsent_since is None else time.monotonic() - self._unsent_since

    @property
    def is_late(self) -> bool:
        """Whether the store has lacked audio for long; live.proto says how long."""
        return self.behind_s() > max(LATE_S, 3 * self._rules.every_s)

    async def send_all(self, fence: int, sent: Mapping[str, int]) -> None:
        """Send all that the files have, before anything is received. Call it once, if at all, before ``start``.

        Args:
            sent: lengths of the files up to which the store has what they have, bytes; of each file there.

        Raises StoreUnavailable, MeetingLost.
        """
        self._fence, self._sent = fence, dict(sent)
        lengths = await asyncio.to_thread(_lengths, self._folder)
        try:
            while (not self._next and (lengths or sent)) or not self._has(lengths):
                await self._send(lengths)
        except Superseded as error:
            raise MeetingLost(str(error)) from None

    def start(
        self,
        fence: int,
        durable: Callable[[], dict[str, int]],
        on_sent: Callable[[Mapping[str, int]], None],
        find_sent: Callable[[], Awaitable[Mapping[str, int]]] | None,
    ) -> None:
        """Send from now on.

        Args:
            durable: returns the durable length of each file that is appended to, bytes.
            on_sent: given the lengths that the store has.
            find_sent: returns what ``send_all`` takes, where that was not called; repeated when it fails.
        """
        self._fence, self._durable, self._on_sent = fence, durable, on_sent
        self.task = asyncio.create_task(self._send_loop(find_sent), name="segments of a live meeting")
        self.note()

    def note(self, *, hurry: bool = False, cut: bool = False) -> None:
        """Have what is durable here sent: soon, or with ``hurry`` at once.

        Args:
            cut: whether a file has grown of which ``durable`` says nothing.
        """
        self._hurry |= hurry
        if self._unsent_since is None and (cut or not self._has(self._durable())):
            self._unsent_since = time.monotonic()
        self._grown.set()

    async def wait_until_sent(self) -> None:
        """Wait until the store has all that is durable here now, or sending has ended."""
        cuts = {
            name: length for name, length in (await asyncio.to_thread(_lengths, self._folder)).items() if "cut" in name
        }
        wanted = {**cuts, **self._durable()}
        self.note(hurry=True, cut=not self._has(cuts))
        async with self._progress:
            await self._progress.wait_for(lambda: self.ended or self._has(wanted))

    @property
    def ended(self) -> bool:
        """Whether nothing is sent any more."""
        return self.task is None or self.task.done()

    @property
    def failed(self) -> bool:
        """Whether sending has ended by itself."""
        return self.task is not None and self.task.done()

    async def close(self, patience_s: float) -> None:
        """Stop, once the store has all that is durable here, or after ``patience_s``; 0: at once."""
        if patience_s and not self.ended:
            try:
                async with asyncio.timeout(patience_s):
                    await self.wait_until_sent()
            except TimeoutError:
                log.error("the object store lacks audio of a live meeting that is let go of: this disk alone has it")
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        if self._putting is not None:
            # What is on its way is there or not: nothing of it comes once this has returned.
            await asyncio.gather(self._putting, return_exceptions=True)

    def _has(self, lengths: Mapping[str, int]) -> bool:
        """Return whether the store has files up to these lengths."""
        return all(self._sent.get(name, 0) >= length for name, length in lengths.items())

    async def _send_loop(self, find_sent: Callable[[], Awaitable[Mapping[str, int]]] | None) -> None:
        retry_s = RETRY_S
        try:
            while True:
                try:
                    await self._wait_until_due()
                    if find_sent is not None:
                        self._sent, find_sent = dict(await find_sent()), None
                    await self._send(self._durable())
                    await self._join()
                except StoreUnavailable as error:
                    LIVE_STORE_FAILURES.inc()
                    if not self._failing:
                        log.warning("the audio of a live meeting waits: %s", error)
                    self._failing = True
                    await asyncio.sleep(retry_s)
                    retry_s = min(2 * retry_s, MAX_RETRY_S)
                else:
                    if self._failing:
                        log.info("the object store takes the audio of a live meeting again")
                    self._failing, retry_s = False, RETRY_S
        except Superseded as error:
            raise MeetingLost(str(error)) from None
        finally:
            async with self._progress:
                self._progress.notify_all()

    async def _wait_until_due(self) -> None:
        """Wait until what is to be sent is long enough, or old enough."""
        while True:
            self._grown.clear()
            left_s = None
            if self._unsent_since is not None:
                size = sum(max(0, length - self._sent.get(name, 0)) for name, length in self._durable().items())
                left_s = self._unsent_since + self._rules.every_s - time.monotonic()
                if self._pending is not None or self._hurry or size >= SEGMENT_BYTES or left_s <= 0:
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._grown.wait()

    async def _send(self, durable: Mapping[str, int]) -> None:
        """Send a segment of what is durable. Raises StoreUnavailable, Superseded."""
        if self._pending is None:
            self._hurry, began = False, time.monotonic()
            segment = await asyncio.to_thread(self._collect, durable)
            if not segment.grown:
                self._unsent_since = None
                return
            raw = await asyncio.to_thread(segment.encode)
            name = SegmentName(self._fence, self._next, self._next)
            self._pending = _Pending(name, raw, dict(segment.lengths), began)
        pending, started = self._pending, time.monotonic()
        self._putting = asyncio.ensure_future(self._store.append(pending.name, pending.raw))
        await asyncio.shield(self._putting)
        LIVE_STORE_SECONDS.observe(time.monotonic() - started)
        LIVE_STORE_BYTES.inc(len(pending.raw))
        self._pending, self._sent, self._next = None, pending.lengths, self._next + 1
        self._history.append(self._sent)
        self._on_sent(self._sent)
        self._unsent_since = None if self._has(self._durable()) else pending.began
        async with self._progress:
            self._progress.notify_all()

    def _collect(self, durable: Mapping[str, int]) -> Segment:
        """Read what files have grown by. Blocking.

        Edits and cuts come first: they are stored before what depends on them.
        """
        sent, left = dict(self._sent), SEGMENT_BYTES
        lengths = {name: length for name, length in _lengths(self._folder).items() if "cut" in name} | dict(durable)
        grown = []
        for name in sorted({*lengths, *(sent if not self._next else ())}, key=lambda one: (one.endswith(".log"), one)):
            start = sent.get(name, 0)
            end = min(max(start, lengths.get(name, start)), start + left)
            # The first one says of each file from where on it is this holder's.
            if end > start or not self._next:
                grown.append(Grown(name, start, _read(self._folder / name, start, end)))
                sent[name] = end
                left -= end - start
        return Segment(sent, tuple(grown))

    async def _join(self) -> None:
        """Put one object in the place of many segments."""
        count = len(self._history) - 1
        if count < 1 or (count < JOINED and _total(self._history[-1]) - _total(self._history[0]) < SEGMENT_BYTES):
            return
        before, after, last = self._history[0], self._history[-1], self._next - 1
        self._history = [after]
        if count == 1:
            return
        joined = await asyncio.to_thread(_between, self._folder, before, after)
        # They stay as they are where this fails.
        with suppress(StoreUnavailable):
            await self._store.join(SegmentName(self._fence, last - count + 1, last), joined)


def _total(lengths: Mapping[str, int]) -> int:
    return sum(lengths.values())


def _lengths(folder: Path) -> dict[str, int]:
    """Return the lengths of the files of a meeting, of cuts those of whole lines, bytes. Blocking."""
    found = {}
    for path in live_files(folder):
        found[path.name] = path.read_bytes().rfind(b"\n") + 1 if path.name.startswith("cuts-") else path.stat().st_size
    return found


def _between(folder: Path, before: Mapping[str, int], after: Mapping[str, int]) -> bytes:
    """Return the object of what files have grown by between two segments. Blocking."""
    starts = {name: before.get(name, 0) for name in after}
    grown = [Grown(n, starts[n], _read(folder / n, starts[n], end)) for n, end in after.items() if end > starts[n]]
    return Segment(after, tuple(grown)).encode()


def _read(path: Path, start: int, end: int) -> bytes:
    if end == start:
        return b""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(end - start)
    if len(data) != end - start:
        raise OSError(f"{path.name} is shorter than what was written to it")
    return data
