"""``meetra archive``: everything of an organization as one file, for the operator."""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

from rich.console import Console

from cli.audit import find_organization
from cli.backup_store import store_of_settings, store_of_system
from cli.home import Home, owner_url
from cli.organizations import size
from cli.settings import checked
from server.audio import AudioLog, StoreUnavailable
from server.config import QuotaSettings
from server.export import MeetingAudio, OrganizationExport, RecordingChanged
from server.fair_slots import FairSlots
from server.storage import Database, audit

# Between two lines of progress where there is no terminal.
QUIET_S = 10.0


class CannotWrite(Exception):
    """The archive cannot be written; the message says why."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument("organization", help="name of the organization")
    command.add_argument("file", type=Path, metavar="FILE", help="the archive to make; an existing file is left alone")
    command.add_argument("--no-audio", action="store_true", help="leave recordings and live tracks out")
    command.add_argument(
        "--audio-dir", type=Path, help="folder of the audio log (default: MEETRA_AUDIO_DIR, or that of --data)"
    )


async def run_archive(arguments: argparse.Namespace) -> int:
    """Write the archive; return 0. What is incomplete is removed.

    Raises NotRunning, NoSuchOrganization, DatabaseUnavailable, BadSettings, StoreUnavailable, CannotWrite.
    """
    # Here, not above: every other command would wait for the whole API to load.
    from server.api import RestDocuments

    documents = RestDocuments(checked(QuotaSettings).quotas)
    folder = arguments.audio_dir or Path(os.environ.get("MEETRA_AUDIO_DIR") or Home(arguments.data.resolve()).audio)
    database = await Database.connect(owner_url(arguments.data), patience_s=5)
    try:
        organization_id = await find_organization(database, arguments.organization)
        store = store_of_settings() or store_of_system(Home(arguments.data.resolve()))
        if not arguments.no_audio and store is None and not folder.is_dir():
            raise CannotWrite(f"no audio log in {folder}: name its folder with --audio-dir, or give --no-audio")
        # Beside the archive, which needs the room as well: the audio log may be readable alone.
        audio = MeetingAudio(AudioLog(folder, store), arguments.file.absolute().parent, FairSlots(1))
        export = OrganizationExport(database, audio, documents, organization_id, include_audio=not arguments.no_audio)
        await _write(database, organization_id, export, arguments.file)
    finally:
        await database.close()
    return 0


async def _write(database: Database, organization_id: UUID, export: OrganizationExport, path: Path) -> None:
    console = Console(soft_wrap=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise CannotWrite(f"{path} exists: choose another name, or remove it") from None
    except OSError as error:
        raise CannotWrite(f"{path} cannot be made: {error.strerror}") from None
    written, shown_at = 0, asyncio.get_running_loop().time()
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Before the first byte: whoever ends the command early has read something.
            await database.run(
                lambda c: audit.add_by_operator(c, organization_id, "meetra archive", "export"),
                organization_id=organization_id,
            )
            with console.status("") as status:
                async with aclosing(export.chunks()) as chunks:
                    async for chunk in chunks:
                        await asyncio.to_thread(file.write, chunk)
                        written += len(chunk)
                        done, of = export.progress.done, export.progress.meetings
                        said = f"{done} of {of} meetings, {size(written)}"
                        status.update(said)
                        if not console.is_terminal and asyncio.get_running_loop().time() - shown_at > QUIET_S:
                            shown_at = asyncio.get_running_loop().time()
                            console.print(said, highlight=False)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        if isinstance(error, OSError | RecordingChanged | StoreUnavailable):
            raise CannotWrite(f"the archive could not be completed, and {path} was removed: {error}") from None
        raise
    console.print(f"{path}: {export.progress.meetings} meetings, {size(written)}", highlight=False, markup=False)
