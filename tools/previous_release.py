"""Run tests of the release before on the schema of this version.

    python -m tools.previous_release [--ref REF] [TEST ...]

A release is upgraded while the one before still serves. So the code of that one has to get along with the migrations of
this one: its own tests of the database are run with them. Without a tag of an earlier release there is nothing to run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = Path("server/storage/migrations")
# What uses the database. Tests of the schema itself are left out: they say what it was.
TESTS = ("tests/server/storage", "tests/server/search", "tests/server/meetings", "tests/server/auth")
OF_THE_SCHEMA = ("test_migrate*.py", "test_storage_row_level_security.py")


def previous_release() -> str | None:
    """Return the tag of the release before the working tree's commit; None without one."""
    found = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
    return None if found.returncode else found.stdout.decode().strip()


def run_tests(ref: str, tests: Sequence[str] = TESTS, migrations: Path = ROOT / MIGRATIONS) -> int:
    """Run tests of a version with these migrations and return pytest's status.

    Args:
        ref: a tag or commit.
        tests: paths, as that version has them.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "code")
        folder.mkdir()
        archive = _git("archive", "--format=tar", ref)
        archive.check_returncode()
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        shutil.rmtree(folder / MIGRATIONS)
        shutil.copytree(migrations, folder / MIGRATIONS)
        # What is generated from protos only ever gets more.
        (folder / "gen").symlink_to(ROOT / "gen")
        path = [folder, folder / "gen", folder / "clients/python"]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={made}/tests"]
        command += [f"--ignore-glob=*/{pattern}" for pattern in OF_THE_SCHEMA]
        # Nothing of a run of tests that this is a part of.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
        return subprocess.run([*command, *tests], cwd=folder, env=environment, check=False).returncode


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)


def main() -> int:
    """Run the tests; 0 if they pass, or if there is no release before."""
    parser = argparse.ArgumentParser(prog="python -m tools.previous_release", description=__doc__)
    parser.add_argument("--ref", help="a tag or commit; by default the last tag before this commit")
    parser.add_argument("tests", nargs="*", default=list(TESTS), metavar="TEST")
    options = parser.parse_args()
    ref = options.ref or previous_release()
    if ref is None:
        print("no release before this one is tagged; nothing to run")
        return 0
    return run_tests(ref, options.tests)


if __name__ == "__main__":
    sys.exit(main())
