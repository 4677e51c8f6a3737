"""The folders of recordings on this machine's disk, one each."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID


class RecordingFolders:
    """Folders below a root. A recording is identified by its organization and ``file_hash``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        """Folder of what is not whole yet, and of what a program needs for a moment; it may not exist."""

    def folder(self, organization_id: UUID, file_hash: str) -> Path:
        """Return the folder of a recording on this machine's disk, which may not exist."""
        return self.root / str(organization_id) / file_hash[:2] / file_hash

    def hold(self, name: str) -> bool:
        """Return whether the folder of any recording has a file of this name."""
        return next(self.root.glob(f"*/??/*/{name}"), None) is not None

    def measure(self, organization_id: UUID, file_hash: str) -> tuple[int, int]:
        """Return the number of a recording's files, derived ones included, and their size together, bytes."""
        sizes = []
        for path in self.folder(organization_id, file_hash).rglob("*"):
            # One that is just decoded or renamed may be gone.
            with suppress(FileNotFoundError):
                found = path.lstat()
                if not stat.S_ISDIR(found.st_mode):
                    sizes.append(found.st_size)
        return len(sizes), sum(sizes)

    def remove(self, organization_id: UUID, file_hash: str) -> None:
        """Delete a recording and its derived files, if it exists."""
        shutil.rmtree(self.folder(organization_id, file_hash), ignore_errors=True)

    def recordings(self) -> Iterator[tuple[UUID, str]]:
        """Yield all recordings on disk, as (organization, hash)."""
        for folder in self.root.glob("*/??/*"):
            with suppress(ValueError):
                yield UUID(folder.parent.parent.name), folder.name
