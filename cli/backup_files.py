"""Copies of a backup's files, and the list of them: each with its size and digest.

The list is JSON lines: ``{"path": "audio/...", "bytes": 1234, "sha256": "..."}``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

PIECE_BYTES = 1 << 20


class DamagedBackup(Exception):
    """A file of the backup is missing, too many, or other than it was written; the message names it."""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file of a backup."""

    path: str
    """Relative to the backup, with slashes."""
    bytes: int
    sha256: str


def copy(source: Path, target: Path) -> tuple[int, str]:
    """Copy what ``source`` holds now into the new file ``target``; return its bytes and SHA-256 in hexadecimal.

    ``source`` may grow meanwhile, as live tracks do: what comes after the last byte of now is left out. The copy is on
    the disk when this returns. Raises FileNotFoundError where ``source`` is gone.
    """
    digest = hashlib.sha256()
    with source.open("rb") as reading:
        left = size = os.fstat(reading.fileno()).st_size
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as writing:
            while left and (piece := reading.read(min(left, PIECE_BYTES))):
                left -= len(piece)
                digest.update(piece)
                writing.write(piece)
            writing.flush()
            os.fsync(writing.fileno())
    return size - left, digest.hexdigest()


def files_under(folder: Path, left_out: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield the regular files under ``folder``, in no order; links are passed over, files that vanish too.

    Args:
        left_out: names of folders directly in ``folder``.
    """
    for place, folders, names in os.walk(folder):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name not in left_out]
        for name in names:
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path


def write_list(files: list[CopiedFile], path: Path) -> None:
    """Write the list of a backup's files."""
    with path.open("x", encoding="utf-8") as lines:
        for file in files:
            lines.write(json.dumps(asdict(file)) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def read_list(path: Path) -> list[CopiedFile]:
    """Return the list of a backup's files. Raises DamagedBackup: also for a path that leads elsewhere."""
    files = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            file = CopiedFile(**json.loads(line))
            parts = PurePosixPath(file.path).parts
            if not parts or ".." in parts or parts[0] not in ("audio", "secrets", "database.dump"):
                raise DamagedBackup(f"{path} names {file.path!r}, which is no file of a backup")
            files.append(file)
    except (OSError, ValueError, TypeError) as error:
        raise DamagedBackup(f"{path} cannot be read: {error}") from None
    return files
