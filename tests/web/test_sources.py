"""The report page's sources: their types hold, and what is built from them asks nobody but its own server."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

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
    # All but the first page, and its icon, may be kept for ever: their names change with what is in them.
    named = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert named - {"index.html", "icon.svg"} == {
        name for name in named if re.fullmatch(r"assets/\w+-[\w-]{8}\.(js|css)", name)
    }
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
