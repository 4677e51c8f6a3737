"""docs/open-source.md lists what is pinned, with licence and purpose."""

from __future__ import annotations

import re
import sys

import pytest

from tools.generated_part import with_part
from tools.open_source_page import PAGE, SERVER_LOCKS, WEB_LOCK, licence, pinned, required_by, tables

TEXT = PAGE.read_text(encoding="utf-8")
# Anything else needs a decision: may it be part of a product under the Apache License?
ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LGPL-2.1-or-later", "MIT", "MIT-0"),
    *("MPL-2.0", "PSF-2.0", "Zlib"),
    # Of fonts, which it lets be embedded in documents.
    "OFL-1.1",
}


def test_what_is_pinned_is_listed() -> None:
    listed = set(re.findall(r"^\| (\S+) \| ([^|]+) \| [^|]+ \| .+ \|$", TEXT, re.MULTILINE))
    packages = pinned(*SERVER_LOCKS) | pinned(WEB_LOCK)
    assert listed - {("Package", "Version")} == {
        (name, ", ".join(sorted(set(versions)))) for name, versions in packages.items()
    }, "run: python -m tools.open_source_page"


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info[:2] != (3, 11), reason="the page is made on Linux with Python 3.11"
)
def test_licences_and_purposes_are_those_of_what_is_installed() -> None:
    assert with_part(PAGE, tables()) == TEXT, "run: python -m tools.open_source_page"


def test_every_package_has_a_licence_that_we_know_and_a_purpose() -> None:
    names = set(pinned(*SERVER_LOCKS))
    for name in names:
        assert set(re.split(r"[\s,()]+|\bAND\b|\bOR\b", licence(name))) - {""} <= ALLOWED, f"{name}: {licence(name)}"
    assert re.findall(r"^\|.*\| for  \|$", TEXT, re.MULTILINE) == []
    assert required_by(names)["mdurl"] == {"markdown-it-py"}
