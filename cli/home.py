"""The data folder: its layout, and the secrets created on the first run."""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.settings import BadSettings
from privacy import UnsafeFile, close_folder, read_private, write_private
from server.config import MigrationSettings, invalid_settings

DEFAULT_DATA = Path(os.environ.get("MEETRA_DATA", ".meetra"))
DEMO_EMAIL = "demo@meetra.local"
DEMO_ORGANIZATION = "Demo"
WEBHOOK_KEYS = "webhook-keys"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Home:
    """Paths in a data folder."""

    root: Path

    @property
    def postgres(self) -> Path:
        """Folder of the database cluster."""
        return self.root / "postgres"

    @property
    def audio(self) -> Path:
        """Folder of the audio log."""
        return self.root / "audio"

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Folder of the running system's files."""
        return self.root / "run"

    @property
    def token_keys(self) -> Path:
        """Folder of the keys that sign tokens."""
        return self.root / "secrets" / "token-keys"

    @property
    def webhook_keys(self) -> Path:
        """File of the keys that encrypt the secrets of webhooks; made on the first run."""
        self.secret(WEBHOOK_KEYS)
        return self.secret_file(WEBHOOK_KEYS)

    @property
    def token_filter(self) -> Path:
        """What the gateway looks for in tokens; alone in its folder, which Envoy watches."""
        return self.run / "token-filter" / "filter.json"

    @property
    def ready_file(self) -> Path:
        """Description of the running system, as JSON."""
        return self.run / "ready.json"

    @property
    def audio_store_file(self) -> Path:
        """File with the URL of the object store of the running system; empty: it has none."""
        return self.run / "audio_store"

    @property
    def database_url_file(self) -> Path:
        """File with the URL of the database."""
        return self.run / "database_url"

    def prepare(self) -> None:
        """Create the folders, and close them to other users, whatever their modes were. Raises UnsafeFile."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._close_root()
        for folder in (self.audio, self.logs, self.run, self.root / "secrets"):
            if folder.is_symlink():
                raise UnsafeFile(f"{folder} is a link; move the folder that it leads to here")
            folder.mkdir(mode=0o700, exist_ok=True)
            if os.geteuid() not in (folder.stat().st_uid, 0):
                raise UnsafeFile(f"{folder} belongs to another user; run as that user, or choose another --data")
            close_folder(folder)
        # Older versions signed tokens with it; nothing accepts those any more.
        self.secret_file("jwt-secret").unlink(missing_ok=True)

    def _close_root(self) -> None:
        """Close the data folder itself. Raises UnsafeFile for one that everybody shares."""
        facts = self.root.stat()
        if facts.st_mode & stat.S_ISVTX:
            raise UnsafeFile(f"{self.root} is shared by all users of this machine; give --data a folder of its own")
        if os.geteuid() in (facts.st_uid, 0):
            self.root.chmod(0o700)
        else:
            log.warning("%s belongs to another user, who can replace what is in it", self.root)

    def secret_file(self, name: str) -> Path:
        """Return the path of a secret."""
        return self.root / "secrets" / name

    def secret(self, name: str) -> tuple[str, bool]:
        """Return the random secret ``name`` and whether it was created now. Raises UnsafeFile."""
        path = self.secret_file(name)
        try:
            return read_private(path).strip(), False
        except FileNotFoundError:
            value = secrets.token_urlsafe(32 if name != "demo-password" else 12)
            write_private(path, value + "\n")
            return value, True


def owner_url(data: Path) -> str:
    """Return the URL of the database as its owner: that of the settings, else of the system on ``data``.

    Raises NotRunning, BadSettings.
    """
    try:
        return MigrationSettings().database_owner_url.get_secret_value()
    except ValidationError as error:
        if any(found["type"] != "missing" for found in error.errors()):
            raise BadSettings(invalid_settings(error, MigrationSettings.model_config["env_prefix"])) from None
    running_system(data)
    return Home(data.resolve()).database_url_file.read_text(encoding="utf-8").strip()


class NotRunning(Exception):
    """No system of ours runs on the data folder; the message says how to start one."""


def running_system(data: Path) -> dict[str, Any]:
    """Return ``gateway``, ``email`` and ``password`` of the system running on ``data``. Raises NotRunning."""
    try:
        described: dict[str, Any] = json.loads(Home(data.resolve()).ready_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotRunning(
            f"no Meetra is running on {data}: start one with `make run` or `meetra up --data {data}`"
        ) from None
    return described
