"""The report page's sources: their types hold, and what is built from them asks nobody but its own server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from server.metrics import METRICS
from tests.node import node_or_skip
from tests.recordings import ROOT
from tools.typescript import write

WEB = ROOT / "web"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the page's sources beside those of the client, whose generated part is made anew."""
    node_or_skip()
    folder = tmp_path_factory.mktemp("page")
    web, client = folder / "web", folder / "clients" / "typescript"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules", "dist", "__pycache__"))
    shutil.copytree(
        ROOT / "clients" / "typescript", client, ignore=shutil.ignore_patterns("generated", "dist", "node_modules")
    )
    write(ROOT / "gen" / "meetra.binpb", client / "src" / "generated")
    if not (WEB / "node_modules").is_dir():
        pytest.skip("The page's npm packages are not installed: `make install` installs them, and runs this too")
    (web / "node_modules").symlink_to(WEB / "node_modules")
    return web


def run(folder: Path, *command: str) -> None:
    """Run a program of node_modules; fail with what it says."""
    told = subprocess.run(
        [str(node_or_skip()), *command], cwd=folder, capture_output=True, text=True, check=False, timeout=500
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_types_hold(sources: Path) -> None:
    run(sources, str(ROOT / "node_modules" / "typescript" / "bin" / "tsc"), "--project", str(sources))


def test_the_built_page_is_what_a_strict_policy_allows(sources: Path) -> None:
    run(sources, str(WEB / "node_modules" / "vite" / "bin" / "vite.js"), "build", "--logLevel", "warn")
    built = sources / "dist"
    index = (built / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", index) == []
    assert "<style" not in index
    assert " style=" not in index
    # All but the first page, its icon and its licences may be kept for ever: their names change with what is in them.
    named = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert named - {"index.html", "icon.svg", "licences.md"} == {
        name for name in named if re.fullmatch(r"assets/\w+-[\w-]{8}\.(js|css)", name)
    }
    # What is imported is passed on, and so is its licence.
    code = "".join(path.read_text(encoding="utf-8") for path in (sources / "src").rglob("*.ts*"))
    direct = json.loads((sources / "package.json").read_text(encoding="utf-8"))["dependencies"]
    imported = {name for name in direct if re.search(rf'from "{re.escape(name)}["/]', code)}
    licences = (built / "licences.md").read_text(encoding="utf-8")
    assert "preact" in imported
    assert {name for name in imported if f"## {name} - " not in licences} == set()
    # Links in texts aside, which nobody follows by themselves, no address of another host is in it.
    found = {
        address
        for path in built.rglob("*")
        if path.suffix in {".js", ".css", ".html"}
        for address in re.findall(r"https?://[\w.-]+", path.read_text(encoding="utf-8"))
    }
    assert found <= {"http://www.w3.org"}


def test_texts_are_in_the_files_of_strings(sources: Path) -> None:
    for path in (sources / "src").rglob("*.tsx"):
        # Text between tags: letters that are not in braces.
        source = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        markup = source[source.find("return (") :] if "return (" in source else ""
        texts = re.findall(r"<\w[^<>{}=]*>\s*([A-Za-z][^<>{}()=;]*?)\s*</", markup)
        assert texts == [], f"{path.relative_to(sources)}: {texts}"


def test_every_number_opens_a_definition_that_the_catalogue_has() -> None:
    # Of components (`metric="..."`), of columns (`metric: "..."`), and of lists of facts (`["...", text...`).
    patterns = (r'metric="(\w+)"', r'metric: "(\w+)"', r'^\s+\["(\w+)", text\.')
    used = {
        name
        for path in (WEB / "src").rglob("*.tsx")
        for pattern in patterns
        for name in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(used) > 30
    assert used - {metric.name for metric in METRICS} == set()


def test_no_two_stylesheets_are_of_the_same_class() -> None:
    # A page's stylesheet stays when another page is shown: what it says of a class holds there too.
    of: dict[str, set[str]] = {}
    for sheet in sorted((WEB / "src").rglob("*.css")):
        rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        for selectors in re.findall(r"([^{}]+)\{", rules):
            for name in re.findall(r"^\s*\.([\w-]+)\s*$", selectors.replace(",", "\n"), re.MULTILINE):
                of.setdefault(name, set()).add(sheet.relative_to(WEB).as_posix())
    assert {name: sheets for name, sheets in of.items() if len(sheets) > 1} == {}
