"""The release before gets along with the migrations of this version."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tools.previous_release import MIGRATIONS, ROOT, previous_release, run_tests

pytestmark = pytest.mark.database
NEEDS_GIT = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout of git")
# Of one of them the columns are renamed; the other does without.
TESTS = ("tests/server/storage/test_consents.py", "tests/server/storage/test_users.py")


@NEEDS_GIT
def test_the_release_before_works_on_this_schema() -> None:
    ref = previous_release()
    if ref is None:
        pytest.skip("no release before this one is tagged")
    assert run_tests(ref) == 0


@NEEDS_GIT
def test_code_of_a_commit_is_tried_on_a_later_schema(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    migrations = shutil.copytree(ROOT / MIGRATIONS, tmp_path / "migrations")
    (migrations / "9999_later.sql").write_text("ALTER TABLE consents RENAME COLUMN who TO person")
    assert run_tests("HEAD", TESTS, migrations) == 1
    # Neither nothing nor everything: it runs, and what is gone is missed.
    assert re.search(r"^[1-9]\d* failed, [1-9]\d* passed in ", capfd.readouterr().out, re.MULTILINE)
