"""The release before gets along with the migrations of this version."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.previous_release import MIGRATIONS, ROOT, previous_release, run_tests

pytestmark = pytest.mark.database
NEEDS_GIT = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout of git")
# Quick, and reads and writes rows of meetings.
TESTS = ("tests/server/storage/test_consents.py",)


@NEEDS_GIT
def test_the_release_before_works_on_this_schema() -> None:
    ref = previous_release()
    if ref is None:
        pytest.skip("no release before this one is tagged")
    assert run_tests(ref) == 0


@NEEDS_GIT
@pytest.mark.parametrize(
    ("statement", "works"),
    [
        pytest.param("ALTER TABLE consents ADD COLUMN room text", True, id="it-gets-more"),
        pytest.param("ALTER TABLE consents RENAME COLUMN who TO person", False, id="a-column-is-renamed"),
    ],
)
def test_a_later_schema_is_tried_with_the_code_of_a_commit(tmp_path: Path, statement: str, works: bool) -> None:
    migrations = shutil.copytree(ROOT / MIGRATIONS, tmp_path / "migrations")
    (migrations / "9999_later.sql").write_text(statement)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=True, text=True)
    assert (run_tests(head.stdout.strip(), TESTS, migrations) == 0) is works
