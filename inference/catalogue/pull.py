"""Pulling published models into the models folder: complete, checked, one process at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from inference.catalogue.entry import ModelFile, PublishedModel
from inference.catalogue.hub import Hub, Interrupted, PullFailed, Statement
from inference.catalogue.local import RECORD, RecordedFile, read_record, sha256_of
from inference.catalogue.part_file import PartFile

PARTS = ".parts"
log = logging.getLogger("inference.catalogue")
Report = Callable[[str, int, int], None]
"""Called with a file's path, its bytes so far, and its size."""


class DiskFull(PullFailed):
    """The models folder has no room."""


class DigestUnknown(PullFailed):
    """No source states a file's digest, and trust on first use was not requested."""


class WrongBytes(PullFailed):
    """Bytes or metadata differ from what is expected; the bytes are removed."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """Expected properties of a file."""

    size: int
    sha256: str | None
    git_sha1: str | None
    stated_by: str


def pull(entry: PublishedModel, hub: Hub, folder: Path, report: Report, *, trust_first_use: bool = False) -> list[str]:
    """Fetch a model's missing files, and record their digests.

    Args:
        entry: the model.
        hub: where it is published.
        folder: the models folder; created where missing.
        report: called with progress.
        trust_first_use: accept files without a stated digest, and check later pulls against what came.

    Returns:
        The paths of the files fetched; correct local files are kept.

    Raises:
        PullFailed: or one of its subclasses.
        ModelCorrupt: the record of earlier pulls cannot be read.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{entry.name}.lock"):
            return _pull(entry, hub, folder, report, trust_first_use)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"{entry.name}: no room left in {folder}; what came so far is kept") from error
        raise PullFailed(f"{entry.name}: {error.strerror or error}: {error.filename or folder}") from error


def _pull(entry: PublishedModel, hub: Hub, folder: Path, report: Report, trust_first_use: bool) -> list[str]:
    record = read_record(folder).get(entry.name, {})
    revision, fetched, recorded = entry.revision, [], dict(record)
    for file in entry.files:
        target = folder / entry.name / file.path
        former = record.get(file.path)
        known = file.sha256 or (former.sha256 if former else None)
        if known and target.is_file() and sha256_of(target) == known:
            stated_by = "catalogue" if file.sha256 else former.stated_by if former else ""
            recorded[file.path] = RecordedFile(known, target.stat().st_size, stated_by)
        else:
            statement = None
            if known is None or file.size is None or not re.fullmatch("[0-9a-f]{40}", revision):
                statement = hub.state(entry.repository, revision, file.path)
                # All files come from the commit that the branch pointed to at the first request.
                revision = statement.commit or revision
            expected = _expect(entry, file, former, statement, trust_first_use)
            name = f"{file.path}.{(expected.sha256 or expected.git_sha1 or revision)[:16]}"
            with PartFile(folder / PARTS / entry.name / name, expected.size) as part:
                _fetch(entry, file, revision, hub, part, report)
                recorded[file.path] = _keep(entry, file, part, target, expected)
            fetched.append(file.path)
        # After every file, so that no local file is without its digest.
        write_record(folder, entry, revision, recorded)
    shutil.rmtree(folder / PARTS / entry.name, ignore_errors=True)
    return fetched


def _expect(
    entry: PublishedModel,
    file: ModelFile,
    former: RecordedFile | None,
    statement: Statement | None,
    trust_first_use: bool,
) -> _Expected:
    """Determine a file's size and digest. Raises PullFailed, WrongBytes or DigestUnknown."""
    where = f"{entry.repository}/{file.path}"
    known, by = (
        (file.sha256, "catalogue") if file.sha256 else (former.sha256, former.stated_by) if former else (None, "hub")
    )
    size = file.size
    if statement is not None:
        if known and statement.sha256 and statement.sha256 != known:
            raise WrongBytes(
                f"{where}: the hub states SHA-256 {statement.sha256}, but {known} is expected ({by}); "
                f"to accept a new file, remove {entry.name} from {RECORD}"
            )
        if size is not None and statement.size is not None and statement.size != size:
            raise WrongBytes(f"{where}: the hub states {statement.size} bytes, the catalogue {size}")
        size = statement.size if size is None else size
    if size is None:
        raise PullFailed(f"{where}: neither the catalogue nor the hub states its size; nothing was fetched")
    git_sha1 = statement.git_sha1 if statement and known is None else None
    sha256 = known or (statement.sha256 if statement else None)
    if sha256 is None and git_sha1 is None:
        if not trust_first_use:
            raise DigestUnknown(
                f"{where}: neither the catalogue nor the hub states its digest; "
                f"add --trust-first-use to accept what comes and hold it to that from then on"
            )
        by = "first use"
    return _Expected(size, sha256, git_sha1, by)


def _fetch(entry: PublishedModel, file: ModelFile, revision: str, hub: Hub, part: PartFile, report: Report) -> None:
    """Complete a part file, resuming an earlier pull. Raises PullFailed."""
    where = f"{entry.repository}/{file.path}"
    missing, free = part.size - part.length, shutil.disk_usage(part.path.parent).free
    if free < missing:
        raise DiskFull(
            f"{where}: {missing:,} bytes are to come, but {part.path.parent} has room for {free:,}; "
            "make room, or set MEETRA_MODELS_DIR"
        )

    def attempt() -> None:
        report(file.path, part.length, part.size)
        if part.length == part.size:
            return
        with hub.read(entry.repository, revision, file.path, part.length) as (start, total, blocks):
            if total is not None and total != part.size:
                raise WrongBytes(f"{where}: {total} bytes are announced, {part.size} expected; nothing of it was kept")
            if start != part.length:
                part.restart()
            for block in blocks:
                if not part.append(block):
                    part.path.unlink()
                    raise WrongBytes(f"{where}: more than the announced {part.size} bytes came; the file was removed")
                report(file.path, part.length, part.size)
        if part.length < part.size:
            raise Interrupted("the connection was closed early")

    hub.persist(attempt, where, lambda: part.length)


def _keep(entry: PublishedModel, file: ModelFile, part: PartFile, target: Path, expected: _Expected) -> RecordedFile:
    """Check a complete part file and move it into place. Raises WrongBytes, with the part removed."""
    found, wanted = (part.git_sha1, expected.git_sha1) if expected.git_sha1 else (part.sha256, expected.sha256)
    if wanted is not None and found != wanted:
        part.path.unlink()
        raise WrongBytes(
            f"{entry.repository}/{file.path}: what came has digest {found}, not {wanted} ({expected.stated_by}); "
            "it was removed"
        )
    part.sync()
    target.parent.mkdir(parents=True, exist_ok=True)
    part.path.replace(target)
    return RecordedFile(part.sha256, part.size, expected.stated_by)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes; it ends with the process, even a killed one."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("another process holds %s; waiting for it", path)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_record(folder: Path, entry: PublishedModel, revision: str, files: dict[str, RecordedFile]) -> None:
    """Add a model's digests to the record, which other pulls may be writing too."""
    with locked(folder / f".{RECORD}.lock"):
        path = folder / RECORD
        read_record(folder)
        whole = json.loads(path.read_bytes()) if path.exists() else {"models": {}}
        digests = {name: asdict(file) for name, file in files.items()}
        whole["models"][entry.name] = {"repository": entry.repository, "revision": revision, "files": digests}
        fresh = path.with_name(f".{RECORD}.new")
        with fresh.open("w") as file:
            json.dump(whole, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
