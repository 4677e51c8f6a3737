"""A stranger's Python: the client's wheel, built in a clean checkout, and what it depends on; nothing of the server."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.recordings import ROOT

# What the client declares to need, as the folders and modules that they install.
DEPENDENCIES = ("google", "grpc", "typing_extensions.py")


def clean_checkout(folder: Path) -> Path:
    """Copy what the client is built from, without generated code; return the client's folder."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "clients/python", "proto"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for name in filter(lambda name: (ROOT / name).exists(), files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder / "clients" / "python"


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of a client's folder, with the tools of this environment: no registry is asked."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    command = [*pip, "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(source)]
    told = subprocess.run(command, cwd=folder.parent, check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    (wheel,) = folder.glob("meetra_client-*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Make an environment with the wheel and what it depends on; return its interpreter."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    shutil.unpack_archive(wheel, packages, "zip")
    for name in DEPENDENCIES:
        (packages / name).symlink_to(Path(sysconfig.get_path("purelib")) / name)
    return python


def strangers_python(folder: Path) -> Path:
    """Build the client as a stranger would, install it, and return the interpreter."""
    return install(build_wheel(clean_checkout(folder / "checkout"), folder / "wheels"), folder / "environment")
