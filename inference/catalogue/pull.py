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
from inference.catalogue.hub import DownloadInterrupted, FileMetadata, Hub, PullFailed
from inference.catalogue.local import RECORD, RecordedFile, read_record, sha256_of
from inference.catalogue.part_file import PartFile

PARTS = ".parts"
log = logging.getLogger("inference.catalogue")
Report = Callable[[str, int, int], None]
"""Called with a file's path, its bytes so far, and its size."""


class NoSpaceLeft(PullFailed):
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
            raise NoSpaceLeft(f"{entry.name}: no space left in {folder}; the downloaded part is kept") from error
        raise PullFailed(f"{entry.name}: {error.strerror or error}: {error.filename or folder}") from error


def _pull(entry: PublishedModel, hub: Hub, folder: Path, report: Report, trust_first_use: bool) -> list[str]:
    record = read_record(folder).get(entry.name, {})
    revision, fetched, recorded = entry.revision, [], dict(record)
    for file in entry.files:
        target = folder / entry.name / file.path
        previous = record.get(file.path)
        known = file.sha256 or (previous.sha256 if previous else None)
        if known and target.is_file() and sha256_of(target) == known:
            stated_by = "catalogue" if file.sha256 else previous.stated_by if previous else ""
            recorded[file.path] = RecordedFile(known, target.stat().st_size, stated_by)
        else:
            metadata = None
            if known is None or file.size is None or not re.fullmatch("[0-9a-f]{40}", revision):
                metadata = hub.metadata(entry.repository, revision, file.path)
                # All files come from the commit that the branch pointed to at the first request.
                revision = metadata.commit or revision
            expected = _expect(entry, file, previous, metadata, trust_first_use)
            name = f"{file.path}.{(expected.sha256 or expected.git_sha1 or revision)[:16]}"
            with PartFile(folder / PARTS / entry.name / name, expected.size) as part:
                _fetch(entry, file, revision, hub, part, report)
                recorded[file.path] = _verify_and_move(entry, file, part, target, expected)
            fetched.append(file.path)
        # After every file, so that no local file is without its digest.
        write_record(folder, entry, revision, recorded)
    shutil.rmtree(folder / PARTS / entry.name, ignore_errors=True)
    return fetched


def _expect(
    entry: PublishedModel,
    file: ModelFile,
    previous: RecordedFile | None,
    metadata: FileMetadata | None,
    trust_first_use: bool,
) -> _Expected:
    """Determine a file's size and digest. Raises PullFailed, WrongBytes or DigestUnknown."""
    where = f"{entry.repository}/{file.path}"
    known, stated_by = (
        (file.sha256, "catalogue")
        if file.sha256
        else (previous.sha256, previous.stated_by)
        if previous
        else (None, "hub")
    )
    size = file.size
    if metadata is not None:
        if known and metadata.sha256 and metadata.sha256 != known:
            raise WrongBytes(
                f"{where}: the hub states SHA-256 {metadata.sha256}, but {known} is expected ({stated_by}); "
                f"to accept a new file, remove {entry.name} from {RECORD}"
            )
        if size is not None and metadata.size is not None and metadata.size != size:
            raise WrongBytes(f"{where}: the hub states {metadata.size} bytes, the catalogue {size}")
        size = metadata.size if size is None else size
    if size is None:
        raise PullFailed(f"{where}: neither the catalogue nor the hub states its size; nothing was downloaded")
    git_sha1 = metadata.git_sha1 if metadata and known is None else None
    sha256 = known or (metadata.sha256 if metadata else None)
    if sha256 is None and git_sha1 is None:
        if not trust_first_use:
            raise DigestUnknown(
                f"{where}: neither the catalogue nor the hub states its digest; "
                f"add --trust-first-use to accept the file, and require its digest from then on"
            )
        stated_by = "first use"
    return _Expected(size, sha256, git_sha1, stated_by)


def _fetch(entry: PublishedModel, file: ModelFile, revision: str, hub: Hub, part: PartFile, report: Report) -> None:
    """Complete a part file, resuming an earlier pull. Raises PullFailed."""
    where = f"{entry.repository}/{file.path}"
    missing, free = part.size - part.length, shutil.disk_usage(part.path.parent).free
    if free < missing:
        raise NoSpaceLeft(
            f"{where}: {missing:,} bytes are missing, but {part.path.parent} has space for {free:,}; "
            "free space, or set MEETRA_MODELS_DIR"
        )

    def attempt() -> None:
        report(file.path, part.length, part.size)
        if part.length == part.size:
            return
        with hub.read(entry.repository, revision, file.path, part.length) as (start, total, blocks):
            if total is not None and total != part.size:
                raise WrongBytes(f"{where}: {total} bytes are announced, {part.size} expected; the file was removed")
            if start != part.length:
                part.restart()
            for block in blocks:
                if not part.append(block):
                    part.path.unlink()
                    raise WrongBytes(
                        f"{where}: received more than the announced {part.size} bytes; the file was removed"
                    )
                report(file.path, part.length, part.size)
        if part.length < part.size:
            raise DownloadInterrupted("the connection was closed early")

    hub.retry(attempt, where, lambda: part.length)


def _verify_and_move(
    entry: PublishedModel, file: ModelFile, part: PartFile, target: Path, expected: _Expected
) -> RecordedFile:
    """Check a complete part file and move it into place. Raises WrongBytes, with the part removed."""
    found, wanted = (part.git_sha1, expected.git_sha1) if expected.git_sha1 else (part.sha256, expected.sha256)
    if wanted is not None and found != wanted:
        part.path.unlink()
        raise WrongBytes(
            f"{entry.repository}/{file.path}: received digest {found}, not {wanted} ({expected.stated_by}); "
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
            log.warning("waiting for another process that holds %s", path)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_record(folder: Path, entry: PublishedModel, revision: str, files: dict[str, RecordedFile]) -> None:
    """Add a model's digests to the record, which other pulls may be writing too."""
    with locked(folder / f".{RECORD}.lock"):
        path = folder / RECORD
        read_record(folder)
        content = json.loads(path.read_bytes()) if path.exists() else {"models": {}}
        digests = {name: asdict(file) for name, file in files.items()}
        content["models"][entry.name] = {"repository": entry.repository, "revision": revision, "files": digests}
        new_path = path.with_name(f".{RECORD}.new")
        with new_path.open("w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new_path.replace(path)
