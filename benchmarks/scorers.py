"""The scoring packages, which only benchmarks and tests need."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path


def ensure_scorers() -> None:
    """Installs the pinned development packages where pyannote.metrics or jiwer is missing, and says so."""
    if all(importlib.util.find_spec(name) for name in ("pyannote", "jiwer")):
        return
    lock = Path(__file__).resolve().parent.parent / "requirements" / "dev.txt"
    print("Installing the scoring packages of requirements/dev.txt", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(lock)]
    subprocess.run(pip, check=True)
    importlib.invalidate_caches()
