"""Files and folders that only the user of the processes can open."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import mkstemp

OTHERS = stat.S_IRWXG | stat.S_IRWXO
# A larger file is no secret of ours.
MAX_SECRET_BYTES = 64 * 1024


class UnsafeFile(Exception):
    """A file or folder of ours is one that somebody else can control; the message names it and the fix."""


def close_new_files() -> None:
    """Create all files and folders from now on without rights for others, in child processes too."""
    os.umask(OTHERS)


def close_folder(folder: Path) -> None:
    """Take all rights of other users from a folder and from what is in it. Nothing happens if the folder is closed.

    The folder itself comes last, so that an interrupted call is made up for by the next one. Links are left alone, and
    what belongs to another user, such as the database's files.
    """
    if not folder.lstat().st_mode & OTHERS:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _close(Path(parent, name))
    _close(folder)


def _close(path: Path) -> None:
    try:
        facts = path.lstat()
        if facts.st_mode & OTHERS and facts.st_uid == os.geteuid() and not stat.S_ISLNK(facts.st_mode):
            path.chmod(stat.S_IMODE(facts.st_mode) & ~OTHERS)
    except FileNotFoundError:  # a temporary file of a process that still runs
        pass


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read: whole or not at all, never through a link that lies there."""
    # mkstemp: a name of its own, O_EXCL and O_NOFOLLOW, mode 0600.
    descriptor, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_private(path: Path) -> str:
    """Return the text of a file that only we can have written, closed to others if it was not.

    Raises FileNotFoundError, and UnsafeFile for a link, for anything but a file, and for a file of another user.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafeFile(f"{path} cannot be read as a file of ours ({error.strerror}); remove it") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise UnsafeFile(f"{path} is not a file; remove it")
        # Root may run on the data of a user, who is then trusted with it.
        if os.geteuid() not in (facts.st_uid, 0):
            raise UnsafeFile(f"{path} belongs to another user; remove it, or run as that user")
        if facts.st_mode & OTHERS:
            os.fchmod(descriptor, stat.S_IRUSR | stat.S_IWUSR)
        return os.read(descriptor, MAX_SECRET_BYTES).decode("utf-8")
    finally:
        os.close(descriptor)


def open_private_log(path: Path) -> int:
    """Return a descriptor that appends to a log of ours, closed to others. Raises UnsafeFile for a link."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UnsafeFile(f"{path} cannot be opened as a log of ours ({error.strerror})") from None
    os.fchmod(descriptor, stat.S_IRUSR | stat.S_IWUSR)
    return descriptor
