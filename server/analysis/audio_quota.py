"""The minutes of audio that an organization may have analysed on a day, counted once a recording's length is known."""

from __future__ import annotations

from server.audio import UnusableRecording
from server.quotas import MS_PER_MINUTE, Quotas
from server.storage import Connection, Database, Job, jobs, quotas

# Seconds the database may be unreachable before an analysis returns to the queue.
DATABASE_PATIENCE_S = 60.0


class MinutesUsedUp(Exception):
    """The organization's minutes of the day do not suffice for the recording; the next day's do."""

    def __init__(self, day_ends_in_s: int) -> None:
        super().__init__(f"the organization's minutes of audio analysed a day are used up for {day_ends_in_s} s")
        self.day_ends_in_s = day_ends_in_s


class AudioQuota:
    """Count audio against the quotas of organizations."""

    def __init__(self, database: Database, defaults: Quotas) -> None:
        self._database, self._defaults = database, defaults

    async def count(self, job: Job, audio_ms: int) -> None:
        """Count the audio of a recording that is about to be analysed, as far as its upload has not.

        Args:
            audio_ms: all tracks together, milliseconds.

        Raises MinutesUsedUp, having counted nothing; UnusableRecording if no day suffices; JobLost.
        """

        async def count(connection: Connection) -> None:
            await jobs.check_fence(connection, job)
            use = await quotas.find_use(connection, job.organization_id, self._defaults)
            limit_ms = use.quotas.minutes_per_day * MS_PER_MINUTE
            if audio_ms > limit_ms:
                raise UnusableRecording(
                    f"the recording has {-(-audio_ms // MS_PER_MINUTE)} minutes of audio, all its tracks together; this"
                    f" organization may have {use.quotas.minutes_per_day} analysed a day"
                )
            today_ms = await quotas.count_audio(connection, job.organization_id, job.file_hash, audio_ms)
            if today_ms is not None and today_ms > limit_ms:
                raise MinutesUsedUp(use.day_ends_in_s)

        await self._database.run(count, organization_id=job.organization_id, patience_s=DATABASE_PATIENCE_S)
