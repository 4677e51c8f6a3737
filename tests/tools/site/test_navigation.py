"""Every document is a page of the site, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recordings import ROOT
from tools.site.navigation import indexes, navigation, title_of


def test_every_document_of_the_repository_has_one_page() -> None:
    pages = [page for section in navigation(ROOT) for page in section.pages]
    documents = [page.document for page in pages if page.document]
    assert len(set(documents)) == len(documents)
    assert len({page.path for page in pages}) == len(pages)
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")} <= set(documents)


def test_documents_that_come_later_are_found(tmp_path: Path) -> None:
    for name, title in (("migration/a.md", "From A"), ("migration/b.md", "From `B`"), ("new.md", "New")):
        file = tmp_path / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {title}\n")
    sections = {section.title: section.pages for section in navigation(tmp_path)}
    assert [(page.title, page.path) for page in sections["Migration"]] == [
        ("All", "migration/index.md"),
        ("From A", "migration/a.md"),
        ("From B", "migration/b.md"),
    ]
    assert [page.document for page in sections["More"]] == ["docs/new.md"]
    assert indexes(navigation(tmp_path)) == {"migration/index.md": "# Migration\n\n- [From A](a.md)\n- [From B](b.md)"}


def test_a_document_has_a_title() -> None:
    assert title_of("---\n# `meetra` and you\n\n# No\n") == "meetra and you"
    with pytest.raises(ValueError, match="heading"):
        title_of("text\n")
