"""``meetra stream``: stream recordings, a microphone or raw samples as a live meeting; show it and its report."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from cli.account import IMPATIENCE, client_of
from cli.answers import fetch
from cli.audio_sources import AudioSource, SourceUnusable, microphone, read_blocks, recording, standard_input
from cli.live_board import Board
from cli.live_view import JsonLines, PlainLines, View
from cli.report import show
from cli.terminal_text import escape_lines
from meetra_client import Account, Finished, LiveMeeting, MeetingOver, MeetraError
from server.media import RATE_HZ

TICK_S = 0.15
STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """The options of the command."""

    files: list[str]
    """Paths, or ``-`` for standard input."""
    mic: str | None
    """Input device, empty for the default one; None for no microphone."""
    participants: list[str]
    """One name per source, or per separate channel; empty if the sources are mixed."""
    name: str = ""
    n_speakers: int = 0
    language: str = ""
    key_terms: list[str] = field(default_factory=list)
    """Each item holds one or more terms, separated by commas."""
    consent: list[str] = field(default_factory=list)
    """Each item holds ``who; how`` or ``who; how; when``."""
    redact: str = ""
    """Kinds to redact, separated by commas."""
    speed: float = 1.0
    """Speed of recordings relative to real time; 0 for as fast as accepted."""
    rate_hz: int | None = None
    channels: int | None = None
    """Of standard input; None: 16 kHz, one channel."""
    separate: bool = False
    """Each channel of standard input is a participant."""
    drop_every_s: float = 0.0
    resume: str = ""
    as_json: bool = False

    @property
    def title(self) -> str:
        """Name of the meeting."""
        if self.name or not self.files:
            return self.name or "Microphone"
        return "Live meeting" if self.files == [STANDARD_INPUT] else ", ".join(Path(file).name for file in self.files)


class StreamInterrupted(Exception):
    """The user pressed Ctrl-C a second time."""


def create_sources(options: StreamOptions) -> list[AudioSource]:
    """Return one source per track. Raises SourceUnusable if the options conflict."""
    if (options.mic is None) == (not options.files):
        raise SourceUnusable("specify either recordings, `-` for standard input, or --mic")
    if options.separate and options.files != [STANDARD_INPUT]:
        raise SourceUnusable("--separate applies only to `-`, standard input")
    if options.files != [STANDARD_INPUT] and (options.rate_hz is not None or options.channels is not None):
        raise SourceUnusable("--rate and --channels apply only to `-`, standard input: recordings state their own")
    rate_hz, channels = options.rate_hz or RATE_HZ, options.channels or 1
    source_count = channels if options.separate else max(len(options.files), 1)
    if options.participants and len(options.participants) != source_count:
        raise SourceUnusable(
            f"{len(options.participants)} --participant for {source_count} audio sources; give one each"
        )
    if options.separate:
        return [standard_input(rate_hz, channels, options.participants, separate=True)]
    if source_count > 1 and not options.participants:
        raise SourceUnusable("several recordings of one meeting require one --participant NAME each, in their order")
    if source_count > 1 and STANDARD_INPUT in options.files:
        raise SourceUnusable("standard input cannot be combined with other sources")
    names = options.participants or [""]
    if options.mic is not None:
        return [microphone(options.mic, names[0])]
    if options.files == [STANDARD_INPUT]:
        return [standard_input(rate_hz, channels, options.participants, separate=False)]
    ids = ["mix"] if source_count == 1 else [f"participant-{number}" for number in range(1, source_count + 1)]
    return [recording(Path(file), track, name) for file, track, name in zip(options.files, ids, names, strict=True)]


async def stream(account: Account, options: StreamOptions, console: Console) -> int:
    """Stream a meeting as the user of ``account`` and print its report.

    Returns 0 if it became ready, 130 if interrupted, else 1. Raises SourceUnusable, MeetraError and BadAddress.
    """
    sources = create_sources(options)
    for source in sources:
        await asyncio.to_thread(source.probe)
    view: View = JsonLines() if options.as_json else PlainLines(console)
    if console.is_terminal and not options.as_json:
        view = Board(console, options.title)
    # Once the meeting is open its connection is restored for minutes; before, a wrong address is said at once.
    client = client_of(account)
    await client.check_reachable()
    async with client:
        tracks = [source.track for source in sources]
        if options.resume:
            meeting = client.resume(options.resume, tracks=tracks, take_over=True)
        else:
            meeting = client.live(
                tracks=tracks,
                name=options.title,
                n_speakers=options.n_speakers,
                language=options.language,
                key_terms=options.key_terms,
                consent=options.consent,
                redact=options.redact,
            )
        streamer = MeetingStreamer(meeting, sources, options, view)
        try:
            finished = await streamer.run()
        except (StreamInterrupted, BrokenPipeError, MeetraError) as error:
            if not meeting.session_id:
                raise
            if isinstance(error, MeetraError):
                print(f"meetra: {escape_lines(str(error))}", file=sys.stderr)
            print(await _describe_left(account, meeting, sources), file=sys.stderr)
            if isinstance(error, BrokenPipeError):
                raise
            return 130 if isinstance(error, StreamInterrupted) else 1
        if finished.status != "ready":
            print(f"meetra: the meeting failed: {escape_lines(finished.message)}", file=sys.stderr)
            return 1
        if not options.as_json:
            show(console, options.title, await fetch(client, finished.file_hash))
            console.print(f"\nFile hash {finished.file_hash}", highlight=False)
    return 0


async def _describe_left(account: Account, meeting: LiveMeeting, sources: list[AudioSource]) -> str:
    """Return what becomes of a meeting that this command leaves: whether it has ended is for the server to say."""
    status = None
    with suppress(MeetraError):
        async with client_of(account, IMPATIENCE) as client:
            status = (await client.status(meeting.file_hash)).status
    tracks = [source.track for source in sources]
    missing = {t.track_id: meeting.position(t.track_id) - meeting.acknowledged(t.track_id) for t in tracks}
    missing_s = max((missing[track.track_id] / track.sample_rate_hz for track in tracks), default=0.0)
    text = f"{missing_s:.1f} s of audio that were read had not reached the server's disk.\n" if missing_s else ""
    if status in (None, "receiving"):
        text += (
            f"The meeting was left; after {meeting.ready.limits.grace_s} s at the latest the server finishes it by"
            " itself. To go on: the same command with"
        )
        if status is None:
            text = f"The server could not be asked how far the meeting is.\n{text}"
    elif status == "ready":
        text += "The meeting has ended and is ready. For its report: the same command with"
    elif status == "failed":
        text += "The meeting has ended; its analysis failed. For the reason: the same command with"
    else:
        text += (
            "The meeting has ended, and the server analyses it to the end without this command. For its report: the"
            " same command with"
        )
    return f"{text}\n  --resume {meeting.session_id}"


class MeetingStreamer:
    """Send the sources to the meeting, show its events, and finish it."""

    def __init__(self, meeting: LiveMeeting, sources: list[AudioSource], options: StreamOptions, view: View) -> None:
        self._meeting, self._sources, self._options = meeting, sources, options
        self._view = view
        self._stop, self._abort = asyncio.Event(), asyncio.Event()

    async def run(self) -> Finished:
        """Run until the meeting is finished. Raises Interrupted, SourceUnusable, MeetraError."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        try:
            return await _run_unless(self._abort, self._run_meeting())
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def _interrupted(self) -> None:
        (self._abort if self._stop.is_set() else self._stop).set()

    async def _run_meeting(self) -> Finished:
        async with self._meeting as meeting:
            with self._view:
                self._view.opened(meeting)
                background: list[asyncio.Task[Any]] = [
                    asyncio.create_task(work) for work in (self._tick(), self._drop_periodically())
                ]
                listening = asyncio.create_task(self._listen())
                try:
                    if not meeting.ready.finishing:
                        await self._send_sources(listening)
                    # From now on a Ctrl-C means to leave.
                    self._stop.set()
                    self._view.finishing()
                    finishing = asyncio.create_task(meeting.finish())
                    background.append(finishing)
                    await asyncio.wait({finishing, listening}, return_when=asyncio.FIRST_COMPLETED)
                    if listening.done():
                        # Nobody reads the output any more, for example.
                        listening.result()
                    finished = await finishing
                    await listening
                finally:
                    for task in (*background, listening):
                        task.cancel()
                    await asyncio.gather(*background, listening, return_exceptions=True)
            return finished

    async def _send_sources(self, listening: asyncio.Task[None]) -> None:
        sending = {asyncio.create_task(self._send(source)) for source in self._sources}
        stopped = asyncio.create_task(self._stop.wait())
        unfinished: set[asyncio.Task[Any]] = set(sending)
        try:
            while unfinished and not (stopped.done() or listening.done()):
                done, _ = await asyncio.wait({*unfinished, stopped, listening}, return_when=asyncio.FIRST_COMPLETED)
                for task in done & unfinished:
                    task.result()
                unfinished -= done
            if listening.done():
                listening.result()
        except MeetingOver as over:
            # Another client or the grace period finished the meeting; its outcome is still wanted.
            self._view.notice(f"The meeting accepts no more audio: {escape_lines(str(over))}")
        finally:
            for task in (*sending, stopped):
                task.cancel()
            await asyncio.gather(*sending, stopped, return_exceptions=True)

    async def _send(self, source: AudioSource) -> None:
        track = source.track
        first = position = self._meeting.position(track.track_id)
        began = time.monotonic()
        async with aclosing(read_blocks(source, first)) as blocks:
            async for block in blocks:
                if source.paced and self._options.speed:
                    # A block is due at its end. After a network pause, overdue blocks are sent at once.
                    position += len(block) // track.unit_bytes
                    due = began + (position - first) / track.sample_rate_hz / self._options.speed
                    await asyncio.sleep(max(due - time.monotonic(), 0))
                await self._meeting.send(track.track_id, block)

    async def _listen(self) -> None:
        async for event in self._meeting.events():
            self._view.event(event)

    async def _tick(self) -> None:
        while True:
            self._view.tick(self._meeting)
            await asyncio.sleep(TICK_S)

    async def _drop_periodically(self) -> None:
        if self._options.drop_every_s:
            # Alternate between drops that the server notices and ones that it does not.
            for silently in itertools.cycle((False, True)):
                await asyncio.sleep(self._options.drop_every_s)
                self._meeting.drop_connection(silently=silently)


async def _run_unless(event: asyncio.Event, work: Coroutine[Any, Any, Finished]) -> Finished:
    """Return the result of ``work``. If the event comes first, cancel the work and raise Interrupted."""
    task, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise StreamInterrupted
    finally:
        for pending in (task, waiting):
            pending.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)
