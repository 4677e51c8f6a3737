"""What others may do with files."""

from __future__ import annotations

import stat
from pathlib import Path


def modes(folder: Path) -> dict[str, int]:
    """The modes of all that is in a folder, by its path there."""
    found = sorted(path for path in folder.rglob("*") if not path.is_symlink())
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in found}


def open_to_others(folder: Path) -> list[Path]:
    """What others may read, write or enter: in the folder, and itself."""
    found = [path for path in (folder, *sorted(folder.rglob("*"))) if not path.is_symlink()]
    return [path for path in found if path.lstat().st_mode & 0o077]
