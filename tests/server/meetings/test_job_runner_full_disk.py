"""A server without room on its disk says so, blames no recording, and goes on once there is room."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from privacy.log_context import current_log_context
from server.audio.media_decoder import decode
from server.channels import ChannelUse
from server.config import ServerSettings
from server.disk import FULL_CODE, DiskFull
from server.meetings.job_runner import DISK_FULL, JobRunner
from server.storage import meetings
from server.storage.jobs import Job
from server.storage.pool import Database, DatabaseFull
from tests.monitoring.counting import counting
from tests.recordings import RATE_HZ, ROOT, sample_pcm, wav
from tests.server.media.media_files import tone
from tests.server.storage.test_jobs import HASH, file_meeting, take
from tests.small_disk import small_disk

pytestmark = pytest.mark.children

SPEECH = sample_pcm()[: 2 * RATE_HZ]


async def progress(_: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("channels", list(ChannelUse))
async def test_decoding_without_room_is_no_fault_of_the_recording(tmp_path: Path, channels: ChannelUse) -> None:
    with small_disk(tmp_path / "small", 256) as folder:
        source = folder / "original"
        source.write_bytes(wav(np.stack([SPEECH, SPEECH[::-1]], 1)))
        (folder / "ballast").write_bytes(bytes(80_000))
        with pytest.raises(DiskFull):
            await decode(source, folder / "pcm.raw", 600, progress, channels)
        assert {path.name for path in folder.iterdir()} == {"original", "ballast"}
        (folder / "ballast").unlink()
        source.write_bytes(wav(SPEECH))
        audio = await decode(source, folder / "pcm.raw", 600, progress, channels)
        assert audio.tracks[0].samples == len(SPEECH)


@pytest.mark.parametrize("options", [[], ["--channels", "separate"]])
def test_a_decoder_says_that_it_has_no_room(tmp_path: Path, options: list[str]) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(np.stack([SPEECH, tone(440, 2)], 1)))
    with small_disk(tmp_path / "small", 32) as folder:
        command = [sys.executable, "-m", "server.children.decode_media", *options, str(source), str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    assert json.loads(done.stdout.splitlines()[-1]) == {"error": FULL_CODE}


@pytest.mark.parametrize("fault", [DiskFull, lambda: DatabaseFull("the database's disk is full")])
async def test_an_analysis_waits_for_room_for_as_long_as_it_takes(
    owner: Database, database: Database, tmp_path: Path, fault: Callable[[], Exception]
) -> None:
    settings = ServerSettings(database_url=SecretStr("unused"), audio_dir=tmp_path)
    runner = JobRunner(settings, database)
    organization_id = await file_meeting(owner, database)

    async def work(job: Job) -> None:
        assert current_log_context() == {"meeting": str(job.meeting_id), "organization": str(job.organization_id)}
        raise fault()

    for _ in range(2 * settings.max_attempts):
        job = await take(database)
        assert job is not None
        assert job.attempt == 1
        with counting("meetra_analyses") as counted:
            await runner.run(job, work)
        assert counted == {"meetra_analyses_total{outcome=disk_full}": 1}
        found = await database.run(
            lambda c: meetings.find_state(c, organization_id, HASH), organization_id=organization_id
        )
        assert found is not None
        assert (found.status, found.message) == ("queued", DISK_FULL)
        # Not at once: nobody has made room yet.
        assert await take(database) is None
        await owner.run(lambda c: c.execute("UPDATE jobs SET run_at = now()"))
