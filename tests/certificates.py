"""Certificates for tests, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates: install it")


def self_signed(folder: Path, name: str, *options: str) -> tuple[Path, Path]:
    """Certificate and key of localhost, signed by itself."""
    folder.mkdir(exist_ok=True)
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=localhost".split()
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", str(made), "-keyout", str(key)]
    subprocess.run([*command, *(options or ("-nodes",))], check=True, capture_output=True)
    return made, key
