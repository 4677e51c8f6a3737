"""Files of one organization do not wait until another one's are written."""

from __future__ import annotations

import asyncio
from threading import Barrier

from server.config import ServerSettings
from server.file_threads import FILE_THREADS, use_file_threads

PATIENCE_S = 300


async def test_as_many_wait_for_the_disk_as_several_organizations_have_uploads() -> None:
    use_file_threads()
    together = Barrier(FILE_THREADS)
    await asyncio.gather(*(asyncio.to_thread(together.wait, PATIENCE_S) for _ in range(FILE_THREADS)))
    assert 4 * ServerSettings.model_fields["quota_uploads_at_once"].default <= FILE_THREADS
