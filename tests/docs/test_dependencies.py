"""Each dependency is listed with what it is for, and nothing else is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", ["package-lock.json", "web/package-lock.json"], ids=["tests", "page"])
def test_npm_packages_are_pinned_by_hash_from_whatever_registry(name: str) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    packages = {name: package for name, package in json.loads(lock)["packages"].items() if "node_modules/" in name}
    assert packages
    assert [name for name, package in packages.items() if "integrity" not in package and "link" not in package] == []
    # What packages say of who funds them is theirs; where they came from is nobody's business.
    assert '"resolved": "http' not in lock
