"""Archives written and read plainly."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


def write_archive(path: Path, members: Mapping[str, bytes]) -> Path:
    """A tar at ``path`` of plain files; returns the path."""
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def read_archive(path: Path) -> dict[str, bytes]:
    """Its plain files by name, without a leading ``./``."""
    found = {}
    with tarfile.open(path) as file:
        for member in file:
            if content := file.extractfile(member) if member.isfile() else None:
                found[member.name.removeprefix("./")] = content.read()
    return found
