"""Rotation of the logs that running processes append to."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from pathlib import Path

from privacy import open_private_log

MAX_LOG_BYTES = 10 * 1024 * 1024
# ``api.log.1`` is the newest of them.
OLD_LOGS = 4
LOOK_EVERY_S = 5.0
log = logging.getLogger(__name__)


async def keep_logs_small(folder: Path) -> None:
    """Rotate each log in ``folder`` that has grown too large, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await asyncio.to_thread(rotate_logs, folder)
        except OSError as error:  # a full disk: logs are no reason to stop
            log.warning("the logs in %s cannot be rotated: %s", folder, error.strerror)


def rotate_logs(folder: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
    """Rotate each log in ``folder`` that is larger than ``max_bytes``, once. Raises OSError."""
    for path in folder.glob("*.log"):
        if not path.is_symlink() and path.stat().st_size > max_bytes:
            _rotate(path)


def _rotate(path: Path) -> None:
    """Move the content of a log aside. Its writer keeps its descriptor, which appends, so the file is emptied in place.

    Lines that are written between the copy and the emptying are lost.
    """
    for age in range(OLD_LOGS, 1, -1):
        younger = _old(path, age - 1)
        if younger.exists():
            younger.replace(_old(path, age))
    newest = _old(path, 1)
    newest.unlink(missing_ok=True)
    with path.open("rb") as source, os.fdopen(open_private_log(newest), "wb") as copy:
        shutil.copyfileobj(source, copy)
    os.truncate(path, 0)


def _old(path: Path, age: int) -> Path:
    return path.with_name(f"{path.name}.{age}")
