"""A process that holds a meeting's audio: ``<folder> <samples>``; says `held` once they are on disk, and waits."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.live.source_log import TrackLog
from server.live.track_log import HeldByAnotherProcess, MeetingAudio
from tests.server.live.live_configs import MIXED, of_kinds


async def main(folder: Path, samples: int) -> None:
    """Holds the audio until the process ends."""
    (track,) = of_kinds(MIXED).tracks
    audio = MeetingAudio([TrackLog(track, folder / "t0.log")], folder / "holder", ThreadPoolExecutor(1))
    try:
        await audio.open()
    except HeldByAnotherProcess:
        print("held elsewhere", flush=True)
        return
    await audio.append(audio.logs[0], bytes(2 * samples))
    await audio.wait_until_committed()
    print("held", flush=True)
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
