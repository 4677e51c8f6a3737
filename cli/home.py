"""The data folder: what lies where, and the secrets made on the first run."""

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
    """Writes a file that only its owner may read; readers see the old one or the new one, never half of it."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one data folder."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def audio(self) -> Path:
        return self.root / "audio"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def ready_file(self) -> Path:
        return self.run / "ready.json"

    @property
    def database_url_file(self) -> Path:
        return self.run / "database_url"

    def prepare(self) -> None:
        """Makes the folders; secrets are closed to others."""
        for folder in (self.audio, self.logs, self.run):
            folder.mkdir(parents=True, exist_ok=True)
        (self.root / "secrets").mkdir(mode=0o700, exist_ok=True)

    def secret(self, name: str) -> tuple[str, bool]:
        """A random secret kept under ``name``, and whether it was made just now."""
        path = self.root / "secrets" / name
        if path.exists():
            return path.read_text(encoding="utf-8").strip(), False
        value = secrets.token_urlsafe(32 if name != "demo-password" else 12)
        write_private(path, value + "\n")
        return value, True


class NotRunning(Exception):
    """No system of ours runs on the data folder; the message says how to start one."""


def running_system(data: Path) -> dict[str, Any]:
    """``gateway``, ``email`` and ``password`` of the system that runs on ``data``. Raises NotRunning."""
    try:
        described: dict[str, Any] = json.loads(Home(data.resolve()).ready_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotRunning(f"no Meetra runs on {data}: start it with `make run` or `meetra up --data {data}`") from None
    return described
