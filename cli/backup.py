"""``meetra backup`` and ``meetra restore``: all of a system in one folder, and back.

A backup holds ``database.dump`` (by ``pg_dump``), ``audio/``, ``secrets/``, ``files.jsonl`` (each file with its
digest), and ``backup.json``, which is written last: without it a backup is incomplete.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
from rich.console import Console

from cli.backup_files import CopiedFile, DamagedBackup, copy, files_under, read_list, write_list
from cli.backup_store import RestoredObjects, copy_objects, store_of_settings, store_of_system
from cli.database_roles import OWNER, RUNTIME, ensure_roles
from cli.environments import of_tools
from cli.free_port import free_port
from cli.home import Home, running_system
from cli.organizations import size
from cli.postgres import STOP_SIGNAL, PostgresServer, binaries
from cli.superuser import record_everywhere, superuser_url
from cli.up import lock_data_folder
from privacy import close_new_files, write_private
from server.storage import Database, migration_names

# Of the folder's layout.
FORMAT = 1
FACTS, FILES, DUMP = "backup.json", "files.jsonl", "database.dump"
# Uploads that have not been accepted: whoever sends them sends them again.
NOT_ACCEPTED = frozenset({"incoming"})
START_TIMEOUT_S = 90.0


class BackupFailed(Exception):
    """Nothing was backed up or restored; the message says why and what to do."""


@dataclass
class _Progress:
    console: Console
    files: int = 0
    bytes: int = 0

    def add(self, copied: int) -> None:
        self.files += 1
        self.bytes += copied
        if self.files % 1000 == 0:
            self.console.print(f"{self.files} files, {size(self.bytes)}", highlight=False)


def add_backup_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``meetra backup``."""
    command.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder")


def add_restore_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``meetra restore``."""
    command.add_argument("folder", type=Path, metavar="FOLDER", help="the backup; --data must be new or empty")


async def run_backup(arguments: argparse.Namespace) -> int:
    """Back the running system up; return 0. What is incomplete is removed.

    Raises NotRunning, BackupFailed, BadSettings, StoreUnavailable.
    """
    home, folder = Home(arguments.data.resolve()), arguments.folder.resolve()
    for part in _parts(home):
        if folder.is_relative_to(part):
            raise BackupFailed(f"{folder} is in {part}, which is backed up: name a folder outside of it")
    running_system(arguments.data)
    close_new_files()
    progress = _Progress(Console(soft_wrap=True))
    with _new_folder(folder):
        # Before the first byte: whoever ends the command early has read something.
        await record_everywhere(home, "meetra backup", "export")
        migrations = await _applied(superuser_url(home))
        facts = await _back_up(home, folder, migrations, progress)
    progress.console.print(
        f"{folder}: {progress.files} files, {size(progress.bytes)}, as of {facts['made_at']}."
        " It opens everything: keep it as you keep passwords.",
        highlight=False,
        markup=False,
    )
    return 0


def _parts(home: Home) -> dict[Path, frozenset[str]]:
    """Return the folders that are backed up, and what is left out of each."""
    return {home.audio: NOT_ACCEPTED, home.root / "secrets": frozenset()}


async def _applied(url: str) -> list[str]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return [record["name"] for record in await connection.fetch("SELECT name FROM schema_migrations ORDER BY name")]
    finally:
        await connection.close()


async def _back_up(home: Home, folder: Path, migrations: list[str], progress: _Progress) -> dict[str, Any]:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    # First: each file that its rows name is where it is kept by now, and only grows or is deleted.
    await asyncio.to_thread(_dump, superuser_url(home), folder / DUMP)
    copied = {file.path: file for file in await asyncio.to_thread(_copy_files, home, folder, progress)}
    if (store := store_of_system(home)) is not None:
        async with aclosing(copy_objects(store, folder)) as objects:
            async for copied_object in objects:
                copied[copied_object.path] = copied_object
                progress.add(copied_object.bytes)
    facts = {
        "format": FORMAT,
        "meetra": version("meetra"),
        "made_at": made_at,
        "migrations": migrations,
        "files": len(copied),
    }
    await asyncio.to_thread(_write_facts, folder, list(copied.values()), facts)
    return facts


def _copy_files(home: Home, folder: Path, progress: _Progress) -> list[CopiedFile]:
    copied = [_listed(folder, folder / DUMP)]
    for part, left_out in _parts(home).items():
        for path in files_under(part, left_out):
            relative = path.relative_to(home.root)
            try:
                length, digest = copy(path, folder / relative)
            except FileNotFoundError:
                # Deleted meanwhile, with its meeting.
                continue
            copied.append(CopiedFile(relative.as_posix(), length, digest))
            progress.add(length)
    return copied


def _write_facts(folder: Path, copied: list[CopiedFile], facts: dict[str, Any]) -> None:
    write_list(copied, folder / FILES)
    write_private(folder / FACTS, json.dumps(facts, indent=2) + "\n")


def _listed(folder: Path, path: Path) -> CopiedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CopiedFile(path.relative_to(folder).as_posix(), path.stat().st_size, digest)


async def run_restore(arguments: argparse.Namespace) -> int:
    """Make the data folder; return 0. What is incomplete is removed.

    Recordings go to the object store of the settings, if they name one.

    Raises BackupFailed, BadSettings, PostgresUnusable, DatabaseUnavailable, StoreUnavailable, UnsafeFile.
    """
    close_new_files()
    folder, home = arguments.folder.resolve(), Home(arguments.data.resolve())
    facts = await asyncio.to_thread(_facts, folder)
    progress = _Progress(Console(soft_wrap=True))
    store = store_of_settings()
    objects = None if store is None else RestoredObjects(store)
    if store is not None and objects is not None and await objects.holds_any():
        raise BackupFailed(f"{store.url} is not empty: name a new folder of the store")
    with _new_folder(home.root):
        home.prepare()
        try:
            with lock_data_folder(home):
                await _copy_back(folder, home.root, facts["files"], objects, progress)
                await _load(home, home.root / DUMP)
                (home.root / DUMP).unlink()
        except BaseException:
            if objects is not None:
                await objects.undo()
            raise
    progress.console.print(
        f"{home.root} is as of {facts['made_at']}: start it with `meetra up --data {home.root}`."
        " What was deleted since then is there again.",
        highlight=False,
        markup=False,
    )
    return 0


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        made_by, unknown = facts["format"], sorted(set(facts["migrations"]) - set(migration_names()))
        if not isinstance(facts["files"], int):
            raise TypeError("files")
    except FileNotFoundError:
        raise BackupFailed(f"{folder} holds no complete backup: {FACTS} is missing") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupFailed(f"{folder / FACTS} cannot be read: {error}") from None
    if made_by != FORMAT or unknown:
        raise BackupFailed(f"{folder} was made by a newer Meetra ({facts.get('meetra')}): restore it with that version")
    return facts


async def _copy_back(
    folder: Path, root: Path, count: int, objects: RestoredObjects | None, progress: _Progress
) -> None:
    try:
        files = await asyncio.to_thread(read_list, folder / FILES)
        if len(files) != count:
            raise DamagedBackup(f"{folder / FILES} lists {len(files)} files, {count} were backed up")
        for file in files:
            if await asyncio.to_thread(copy, folder / file.path, root / file.path) != (file.bytes, file.sha256):
                raise DamagedBackup(f"{folder / file.path} is not what was backed up")
            if objects is not None:
                await objects.take(root, file.path)
            progress.add(file.bytes)
    except DamagedBackup as error:
        raise BackupFailed(f"{error}; use another backup") from None
    except FileNotFoundError as error:
        raise BackupFailed(f"{error.filename} is missing from the backup; use another one") from None


async def _load(home: Home, dump: Path) -> None:
    postgres = PostgresServer(home.postgres, free_port(), home.secret("database-password")[0])
    await asyncio.to_thread(postgres.ensure_initialised)
    with (home.logs / "postgres.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *postgres.command(), env=of_tools(), stdout=log, stderr=log, cwd="/"
        )
    try:
        database = await Database.connect(postgres.url(), patience_s=START_TIMEOUT_S)
        passwords = {role: home.secret(f"{role}-password")[0] for role in (OWNER, RUNTIME)}
        # The owner of the tables comes before them.
        await database.run(lambda connection: ensure_roles(connection, passwords))
        await database.close()
        await asyncio.to_thread(
            _run, postgres.url(), "pg_restore", "--single-transaction", "--exit-on-error", str(dump)
        )
    finally:
        process.send_signal(STOP_SIGNAL)
        await process.wait()


def _dump(url: str, path: Path) -> None:
    _run(url, "pg_dump", "--format=custom", "--file", str(path))
    path.chmod(0o600)


def _run(url: str, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on a database. Raises BackupFailed."""
    where = urlsplit(url)
    # By the environment: the list of processes, which shows arguments, is everybody's.
    password = {"PGPASSWORD": unquote(where.password or "")}
    address = f"postgresql://{where.username}@{where.hostname}:{where.port}{where.path}"
    command = [str(binaries() / program), "--dbname", address, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=of_tools() | password, cwd="/")
    if done.returncode:
        raise BackupFailed(f"{program} failed: {done.stderr.strip() or done.returncode}")


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """Make a folder of our own; remove what is in it where something fails. Raises BackupFailed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupFailed(f"{folder} is not empty: name a new folder")
        folder.chmod(0o700)
    except OSError as error:
        raise BackupFailed(f"{folder} cannot be made: {error.strerror}") from None
    try:
        yield
    except BaseException as error:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if isinstance(error, OSError | asyncpg.PostgresError):
            raise BackupFailed(f"nothing was written to {folder}: {error}") from None
        raise
