"""Each dependency is listed with what it is for, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_docs_list_what_is_required_and_nothing_else() -> None:
    required = {
        match[0].lower()
        for name in ("runtime.in", "models.in")
        for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        if (match := re.match(r"[A-Za-z][\w.-]*", line))
    }
    table = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = {name for row in re.findall(r"^\| ([\w., -]+) \|", table, re.MULTILINE) for name in row.split(", ")}
    assert listed - {"Package"} == required
