"""The data folder: its layout, and the secrets created on the first run."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEMO_EMAIL = "demo@meetra.local"
DEMO_ORGANIZATION = "Demo"


def write_private(path: Path, text: str) -> None:
    """Atomically write a file that only its owner may read."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


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
    def ready_file(self) -> Path:
        """Description of the running system, as JSON."""
        return self.run / "ready.json"

    @property
    def database_url_file(self) -> Path:
        """File with the URL of the database."""
        return self.run / "database_url"

    def prepare(self) -> None:
        """Create the folders; the one for secrets is private."""
        for folder in (self.audio, self.logs, self.run):
            folder.mkdir(parents=True, exist_ok=True)
        (self.root / "secrets").mkdir(mode=0o700, exist_ok=True)

    def secret(self, name: str) -> tuple[str, bool]:
        """Return the random secret ``name`` and whether it was created now."""
        path = self.root / "secrets" / name
        if path.exists():
            return path.read_text(encoding="utf-8").strip(), False
        value = secrets.token_urlsafe(32 if name != "demo-password" else 12)
        write_private(path, value + "\n")
        return value, True


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
