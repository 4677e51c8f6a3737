"""Links between the documents of the repository lead somewhere, and so does a newcomer's path from the README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in chain(
        ROOT.glob("*.md"), *(ROOT.joinpath(folder).rglob("*.md") for folder in ("docs", "sample", "clients"))
    )
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
README = Path("README.md")


def links_of(document: Path) -> Iterator[tuple[Path, str]]:
    """Where a document links to within the repository: path from its root, and the anchor or nothing."""
    for target in LINK.findall(CODE.sub("", (ROOT / document).read_text(encoding="utf-8"))):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            found = (ROOT / document).parent / path if path else ROOT / document
            yield found.resolve().relative_to(ROOT), anchor


def anchors_of(document: Path) -> set[str]:
    """The anchors that a forge makes of a document's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", CODE.sub("", (ROOT / document).read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    for path, anchor in links_of(document):
        assert (ROOT / path).exists(), f"{document} links to {path}"
        assert not anchor or anchor in anchors_of(path), f"{document} links to {path}#{anchor}"


def test_comments_of_protos_name_documents_that_exist() -> None:
    named = {
        (proto.name, name)
        for proto in (ROOT / "proto").rglob("*.proto")
        for name in re.findall(r"\bdocs/[\w/-]+\.md\b", proto.read_text(encoding="utf-8"))
    }
    assert named
    assert [f"{proto} names {name}" for proto, name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("server/live/track_log.py", id="where a chunk of audio goes"),
        pytest.param("server/insights/interaction.py", id="where the interaction score is computed"),
        pytest.param("CONTRIBUTING.md#add-a-score", id="how to add a score"),
        pytest.param("docs/engines.md", id="how to swap a model"),
        pytest.param("docs/architecture.md#what-happens-when-something-dies", id="what happens when a worker dies"),
    ],
)
def test_newcomers_find_it_within_three_clicks(answer: str) -> None:
    wanted, _, heading = answer.partition("#")
    reached = {(README, "")}
    for _ in range(3):
        documents = {path for path, _ in reached if path.suffix == ".md"}
        reached |= set(chain.from_iterable(map(links_of, documents)))
    assert (Path(wanted), heading) in reached
