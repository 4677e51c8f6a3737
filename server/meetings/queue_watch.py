"""The length of the queue for whoever operates the workers: looked up now and then, told when it is asked for."""

from __future__ import annotations

import asyncio
import logging
import time

from server.monitoring import JOBS, JOBS_OLDEST
from server.storage import Database, DatabaseUnavailable, QueueFigures, jobs

LOOK_EVERY_S = 10.0
# What was found longer ago is told no more: the database is away, and the queue unknown.
VALID_S = 60.0
log = logging.getLogger(__name__)


class QueueWatch:
    """Looks up how long the queue is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: tuple[float, QueueFigures] | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        JOBS.watch(self._states)
        JOBS_OLDEST.watch(self._oldest)
        while True:
            try:
                await self.look()
            except DatabaseUnavailable as error:
                log.debug("the length of the queue is unknown: %s", error)
            except Exception:
                # Nobody's analysis ends because it is not counted.
                log.exception("the length of the queue cannot be looked up")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once. Raises DatabaseUnavailable."""
        figures = await self._database.run(jobs.queue_figures, patience_s=0)
        self._found = time.monotonic(), figures

    def _states(self) -> dict[tuple[str, ...], float]:
        figures = self._known()
        return {("waiting",): figures.waiting, ("running",): figures.running} if figures else {}

    def _oldest(self) -> dict[tuple[str, ...], float]:
        figures = self._known()
        return {(): figures.oldest_due_s} if figures else {}

    def _known(self) -> QueueFigures | None:
        if self._found is None or time.monotonic() - self._found[0] > VALID_S:
            return None
        return self._found[1]
