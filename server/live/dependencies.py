"""What live meetings need from the rest of the server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

from server.analysis import MeetingAnalyzer
from server.audio import AudioLog
from server.config import ServerSettings
from server.meetings import JobRunner
from server.storage import Database


@dataclass(frozen=True)
class LiveDependencies:
    """The dependencies shared by all live meetings of a process."""

    settings: ServerSettings
    database: Database
    audio_log: AudioLog
    analyzer: MeetingAnalyzer
    runner: JobRunner
    sync_executor: ThreadPoolExecutor
    """Threads that write and fsync audio."""
    process: str = field(default_factory=lambda: uuid4().hex)
    """What tells this process from others that hold live meetings."""
