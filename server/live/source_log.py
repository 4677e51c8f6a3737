"""The files of one source of a live meeting: its audio as received, and its edits."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from server.audio import (
    Edit,
    TrackEdits,
    append_edits,
    edits_path,
    encode_edits,
    read_edits,
    read_log_positions,
    recover_edits,
)
from server.disk import detect_full_disk
from server.live.capture_clock import CaptureClock
from server.live.config import LiveTrack
from server.media import RATE_HZ

# Extents of a log that wait for the object store.
MAX_UNSENT = 32


class Extent(NamedTuple):
    """How far a log has come."""

    position: int = 0
    length: int = 0
    """Positions that are heard: with silence that is filled in, without what is left out."""
    bytes: int = 0
    """Of the file."""
    edits_bytes: int = 0
    """Of the file of its edits."""


@dataclass(slots=True)
class TrackLog:
    """The file of one source. Positions are in units of its encoding: samples, or bytes for Ogg."""

    track: LiveTrack
    path: Path
    accepted: int = 0
    """Position up to which audio is received."""
    synced: Extent = field(default_factory=Extent)
    """How far the log is on disk."""
    committed: int = 0
    """Position up to which audio is durable: on disk or, where the server's policy says so, in the object store."""
    committed_bytes: int = 0
    recorded: int = 0
    """Positions received, without silence that is filled in."""
    length: int = 0
    """Positions that are heard of what is received: with silence that is filled in, without what is left out."""
    committed_length: int = 0
    """Positions that are heard of what is durable."""
    pending: list[bytes] = field(default_factory=list)
    pending_edits: list[Edit] = field(default_factory=list)
    unsent: list[Extent] = field(default_factory=list)
    """Where the object store's having audio makes it durable: extents that count once it has them."""
    nudges: int = 0
    """Times that readers were asked to look up although no audio has come."""

    pauses: int = 0
    """Silences filled in, those aside that make up for the drift of a clock."""

    edits: TrackEdits = field(init=False)
    """Silence that is filled in, and what is left out."""
    clock: CaptureClock = field(init=False, default_factory=CaptureClock)
    """The client's capture times of what it sends."""

    def __post_init__(self) -> None:
        self.edits = TrackEdits(self.track.format.positions_per_second)

    @property
    def complete(self) -> bool:
        """Whether the track has ended, and all of its audio is durable."""
        return self.track.ended and self.committed == self.accepted

    def commit(self, extent: Extent) -> None:
        """Have what is received up to an extent count as durable."""
        self.committed, self.committed_length, self.committed_bytes = extent.position, extent.length, extent.bytes

    def add_unsent(self) -> None:
        """Have what is on disk count as durable once the object store has it."""
        self.unsent.append(self.synced)
        if len(self.unsent) > MAX_UNSENT:
            # While the store is away: it is caught up with in steps that are as few.
            del self.unsent[MAX_UNSENT // 2]

    def sizes(self) -> dict[str, int]:
        """Return how much of each of its files is on disk, by their names, bytes."""
        return self.sizes_at(self.synced)

    def sizes_at(self, extent: Extent) -> dict[str, int]:
        """Return how much each of its files has at an extent, by their names, bytes."""
        return {self.path.name: extent.bytes, edits_path(self.path).name: extent.edits_bytes}

    def recover(self, check_holder: Callable[[], None]) -> None:
        """Read the durable positions from disk and truncate a trailing partial record.

        Args:
            check_holder: raises where this process does not hold the meeting any more.
        """
        with self.path.open("a+b") as file:
            check_holder()
            file.seek(0)
            self.committed, self.committed_bytes = read_log_positions(self.track.format, file)
            file.truncate(self.committed_bytes)
            os.fsync(file.fileno())
        self.recorded = self.committed
        self.edits = recover_edits(self.path, self.track.format.positions_per_second, self.recorded)
        self.pauses = self.edits.pauses
        self.accepted = self.committed = self.recorded + self.edits.counted
        self.length = self.committed_length = self.recorded + self.edits.net
        edits_bytes = edits_path(self.path).stat().st_size
        self.synced = Extent(self.accepted, self.length, self.committed_bytes, edits_bytes)

    def read_position(self) -> int:
        """Return up to where the files on disk have audio, as clients count it; nothing is changed. Blocking."""
        with self.path.open("rb") as file:
            recorded, _ = read_log_positions(self.track.format, file)
        return recorded + sum(edit.silence for edit in read_edits(self.path, recorded) if edit.counted)

    @property
    def committed_samples(self) -> int | None:
        """What is heard of what is durable, samples at 16 kHz; None where only decoding tells it."""
        per_second = self.track.format.positions_per_second
        return self.committed_length * RATE_HZ // per_second if per_second else None

    def moment_us(self, more: int = 0) -> int:
        """Return the moment of the meeting at which the audio received so far ends, and ``more`` samples, microseconds.

        Not for a track whose positions are bytes.
        """
        assert self.track.format.positions_per_second is not None
        return self.track.start_us + (self.length + more) * 1_000_000 // self.track.format.positions_per_second

    def samples(self, us: int) -> int:
        """Return how many samples of the track last so many microseconds, rounded towards 0; as ``moment_us``."""
        assert self.track.format.positions_per_second is not None
        return int(us * self.track.format.positions_per_second / 1_000_000)

    def edit(self, edit: Edit) -> None:
        """Add an edit before the next audio."""
        self.edits.add(edit)
        self.pending_edits.append(edit)
        self.accepted += edit.silence if edit.counted else 0
        self.length += edit.silence


class Write(NamedTuple):
    """What of a log is written next, and its ends after that."""

    log: TrackLog
    accepted: int
    length: int
    data: bytes
    edits: list[Edit]

    @property
    def extent(self) -> Extent:
        """How far the log has come once this is written."""
        before = self.log.synced
        edits_bytes = before.edits_bytes + len(encode_edits(self.edits))
        return Extent(self.accepted, self.length, before.bytes + len(self.data), edits_bytes)

    @classmethod
    def of(cls, log: TrackLog) -> Write:
        """Take what a log has pending."""
        data, edits = b"".join(log.pending), log.pending_edits
        log.pending, log.pending_edits = [], []
        return cls(log, log.accepted, log.length, data, edits)


def write_batch(batch: list[Write], check_holder: Callable[[], None]) -> None:
    """Write edits, then audio, and sync both. Blocking.

    Args:
        check_holder: raises where this process does not hold the meeting any more. It is asked once a file is open,
            because the next holder leaves the file to this one, and at the end, before anything is acknowledged.

    Raises DiskFull, OSError, what ``check_holder`` raises.
    """
    for log, _, _, data, edits in batch:
        # Never created here: a deleted meeting's audio must not come back.
        with detect_full_disk(), os.fdopen(os.open(log.path, os.O_WRONLY | os.O_APPEND), "ab") as file:
            check_holder()
            if edits:
                append_edits(log.path, edits, check_holder)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    check_holder()
