"""What live meetings need from the rest of the server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from server.analysis import MeetingAnalyzer
from server.audio import AudioLog
from server.config import ServerSettings
from server.disk import DiskReserve
from server.live.segment_sender import SegmentRules, SegmentSender
from server.live.stored_audio import StoredAudio
from server.live.track_keeper import TrackKeeper
from server.meetings import JobRunner
from server.storage import Database

# How old audio becomes before it is sent: where nothing waits for it, and where its acknowledgement does.
LOCAL_EVERY_S, REMOTE_EVERY_S = 5.0, 0.5


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
    keeper: TrackKeeper | None = None
    """Brings finished meetings into the object store; None without one."""
    process: str = field(default_factory=lambda: uuid4().hex)
    """What tells this process from others that hold live meetings."""

    def stored_audio(self, organization_id: UUID, file_hash: str) -> StoredAudio | None:
        """Return what a holder of a meeting does with the object store; None without one."""
        store = self.audio_log.live.store(organization_id, file_hash)
        if store is None:
            return None
        folder = self.audio_log.folder(organization_id, file_hash)
        sender = SegmentSender(store, folder, segment_rules(self.settings))
        disk = DiskReserve(self.audio_log.root, self.settings.disk_reserve_bytes)
        return StoredAudio(store, folder, disk, sender)


def segment_rules(settings: ServerSettings) -> SegmentRules:
    """Return when audio is sent to the object store, and when it is acknowledged."""
    acknowledges = settings.live_acknowledge == "remote"
    return SegmentRules(settings.live_segment_s or (REMOTE_EVERY_S if acknowledges else LOCAL_EVERY_S), acknowledges)
