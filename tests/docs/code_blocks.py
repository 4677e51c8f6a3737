"""The blocks of code in README and docs, and how each is known to be right.

A block is run by a test (``RUN_BY``, and what ``tests/e2e/test_documented_commands.py`` runs), or checked for what can
be checked without running it (``test_code_blocks.py``), or it only illustrates, which the lists here say with the
reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from markdown_it import MarkdownIt

from tests.docs.test_links import ROOT

SHELL, PYTHON = ("sh", "bash", "console"), ("python",)

RUN_BY = {
    ("clients/python/README.md", "python"): ("tests/e2e/test_python_client.py",),
    ("clients/typescript/README.md", "ts"): ("tests/clients/typescript/examples.py",),
    ("docs/live.md", "html"): ("benchmarks/live_page.py", "tests/browser/test_live_page.py"),
    ("proto/README.md", "js"): ("tests/clients/typescript/test_protos_alone.py",),
    ("proto/README.md", "sh"): ("tests/docs/test_proto_readme.py",),
}
"""Documents whose blocks of a language are run by tests of their own: the first file reads the document."""

ILLUSTRATIONS = {
    ("README.md", "REST ──HTTP──"): "a drawing",
    ("docs/engines-export.md", "[--task TASK]"): "a synopsis; its options are checked by tests/inference/nemo",
    ("docs/observability.md", '"logger":'): "a line of a log, broken; tests/privacy/test_quiet_logs.py has its fields",
    ("docs/live.md", "new EventSource("): "three lines of the page in benchmarks/live_page.py, which is run",
}
"""Blocks that are neither run nor checked, by document and a part of the text."""

NOT_RUN = {
    "make run": "starts a system that stays",
    "make test": "is the suite itself",
    "make unit": "is a part of the suite",
    "make install": "has been run before any test",
    "make nemo": "installs gigabytes",
    "make gpu": "installs gigabytes",
    "make recommended": "installs gigabytes",
    "make ray": "installs 80 MB; tests/inference/ray",
    "ray start": "needs Ray; tests/inference/ray starts a cluster",
    "python -m inference.ray": "needs a Ray cluster; tests/inference/ray has one",
    "meetra up": "starts a system that stays",
    "meetra models pull": "downloads models",
    "meetra models export": "needs NeMo; tests/inference/nemo",
    "meetra stream --mic": "needs a microphone",
    "arecord": "needs a microphone",
    "docker build": "needs Docker; tests/deploy reads the Dockerfile",
    "helm install": "needs a cluster; tests/deploy renders the chart",
    "kubectl": "needs a cluster",
    "docker compose": "needs Docker; tests/deploy reads the files with Docker Compose",
    "sh deploy/compose/make-secrets.sh": "would leave secrets in the checkout; tests/deploy runs it in a copy",
    "meetra tokens rotate --keys": "leaves secrets in the reader's folder; tests/cli/test_tokens.py",
    "meetra webhooks test": "needs a receiver; tests/e2e/test_webhooks.py has one",
    "python -m benchmarks.gpu": "needs a GPU; tests/benchmarks runs it on a processor",
    "python -m pytest": "is the suite itself",
    "python -m pip install": "installs packages",
    "python clients/python/examples/adapters/attendee.py": "needs bots; tests/e2e/test_bot_adapters.py has a stand-in",
    "python clients/python/examples/adapters/vexa.py": "needs an account; tests/e2e/test_bot_adapters.py stands in",
    "pip install": "installs packages; tests/clients builds what it installs",
}
"""Commands that are checked and not run, by how they begin, after settings before them; and why."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    document: str
    line: int
    """Of its fence, from 1."""
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def run_by(self) -> tuple[str, ...]:
        """The files of the tests that run it, none where it has no tests of its own."""
        return RUN_BY.get((self.document, self.language), ())

    @property
    def illustrates(self) -> bool:
        """Whether it is neither run nor checked."""
        return any(self.document == document and part in self.text for document, part in ILLUSTRATIONS)


def documents() -> list[Path]:
    """Return the paths of all documents."""
    found = chain(
        ROOT.glob("*.md"), *(ROOT.joinpath(name).rglob("*.md") for name in ("docs", "sample", "clients", "proto"))
    )
    return sorted(path for path in found if "node_modules" not in path.parts)


def blocks() -> list[Block]:
    """Return the blocks of all documents."""
    found = []
    for path in documents():
        for token in MarkdownIt().parse(path.read_text(encoding="utf-8")):
            if token.type == "fence":
                line = token.map[0] + 1 if token.map else 0
                found.append(Block(str(path.relative_to(ROOT)), line, token.info.strip(), token.content))
    return found


def mentions() -> list[tuple[str, str]]:
    """Return the commands that the text of documents mentions in code: the document, and the command."""
    found = []
    for path in documents():
        for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
            codes = [child.content for child in token.children or () if child.type == "code_inline"]
            found += [
                (str(path.relative_to(ROOT)), code)
                for code in codes
                if re.match(r"(\.venv/bin/)?(meetra|make) \S", code)
            ]
    return found


def commands(script: str) -> list[str]:
    """Return the commands of a script, each with its further lines: after a backslash, or within quotes."""
    found, open_ = [], ""
    for line in script.splitlines():
        open_ = f"{open_}\n{line}" if open_ else line
        if line.endswith("\\") or _scanned(open_)[1]:
            continue
        if open_.strip() and not open_.lstrip().startswith("#"):
            found.append(open_)
        open_ = ""
    assert not open_, f"a quote is not closed: {open_}"
    return found


def without_comments(command: str) -> str:
    """Return a command without what follows a ``#`` outside of quotes."""
    return _scanned(command)[0]


def _scanned(text: str) -> tuple[str, str]:
    """Return shell text without its comments, and the quote that is open at its end, or nothing."""
    kept, quote, position = "", "", 0
    while position < len(text):
        letter = text[position]
        if letter == "#" and not quote and (position == 0 or text[position - 1].isspace()):
            end = text.find("\n", position)
            position = end if end >= 0 else len(text)
            continue
        if letter == "\\" and quote != "'":
            kept += text[position : position + 2]
            position += 2
            continue
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        kept += letter
        position += 1
    return kept, quote


def not_run_as(command: str) -> str:
    """Return the entry of ``NOT_RUN`` by which a command is only checked, nothing where it is run."""
    # Of a pipe it is enough that one part is not run.
    for part in re.split(r"\s\|\s|&&|;", without_comments(command)):
        bare = re.sub(r"^(\s*[A-Z_]+=(\"[^\"]*\"|\S*)\s+)*", "", part.strip()).replace(".venv/bin/", "")
        for beginning in NOT_RUN:
            if bare == beginning or bare.startswith(f"{beginning} "):
                return beginning
    return ""
