"""The TypeScript client as its users get it: built, packed by npm, and installed into a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.node import NODE_MODULES, node_or_skip
from tests.recordings import ROOT
from tools import typescript

SOURCE = ROOT / "clients" / "typescript"
PROGRAMS = Path(__file__).resolve().parent / "programs"
NAME = "meetra-client"
TIMEOUT_S = 500
# For programs that use the client: as strict as itself, with Node's types and the browser's.
STRICT = {
    "target": "ES2022",
    "module": "NodeNext",
    "lib": ["ES2023", "DOM", "DOM.Iterable"],
    "types": ["node"],
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "verbatimModuleSyntax": True,
    "noEmitOnError": True,
    "outDir": "out",
}


class Workbench:
    """A folder with the packed client in its ``node_modules``, where programs are compiled and run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = node_or_skip()
        self.client = folder / "node_modules" / NAME
        source = folder / "source"
        shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("generated", "dist", "node_modules"))
        typescript.write(ROOT / "gen" / "meetra.binpb", source / "src" / "generated")
        self.tsc("--project", str(source))
        npm = self.node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
        self.run_node(str(npm), "pack", "--silent", cwd=source)
        (packed,) = source.glob("*.tgz")
        with tarfile.open(packed) as archive:
            # Python 3.11 has filters from 3.11.4 on.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(folder / "unpacked")
        self._link_packages()
        (folder / "unpacked" / "package").rename(self.client)
        (folder / "package.json").write_text('{"type": "module"}')

    def _link_packages(self) -> None:
        modules = self.client.parent
        modules.mkdir()
        for package in NODE_MODULES.iterdir():
            if not package.name.startswith("."):
                (modules / package.name).symlink_to(package)

    def add(self, name: str, text: str) -> None:
        """Write a program."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def compile(self, *names: str) -> None:
        """Check the types of programs and write JavaScript into ``out``. Raises AssertionError with what is wrong."""
        config = self.folder / f"{names[0]}.tsconfig.json"
        config.write_text(json.dumps({"compilerOptions": STRICT, "files": list(names)}))
        self.tsc("--project", str(config))

    def tsc(self, *arguments: str) -> None:
        """Run the compiler. Raises AssertionError with what it says."""
        self.run_node(str(NODE_MODULES / "typescript" / "bin" / "tsc"), *arguments)

    def start(self, program: str, **environment: str) -> subprocess.Popen[str]:
        """Start a compiled program, or a script; it writes JSON to stdout."""
        return subprocess.Popen(
            [str(self.node), program],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str, **environment: str) -> str:
        """Run a compiled program; return what it wrote. Raises AssertionError where it fails."""
        return finished(self.start(program, **environment))

    def told(self, program: str, **environment: str) -> Any:
        """Run a compiled program; return the JSON that it wrote last."""
        return json.loads(self.run(program, **environment).strip().splitlines()[-1])

    def run_node(self, *arguments: str, cwd: Path | None = None) -> None:
        """Run Node to its end, in this folder or another. Raises AssertionError with what it says where it fails."""
        command = [str(self.node), *arguments]
        where = cwd or self.folder
        told = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        assert told.returncode == 0, told.stdout + told.stderr


def finished(process: subprocess.Popen[str]) -> str:
    """Wait for a program; return what it wrote. Raises AssertionError where it failed."""
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    assert process.returncode == 0, out + err
    return out
