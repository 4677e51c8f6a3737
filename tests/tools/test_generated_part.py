"""The generated end of a document is replaced, and what a person wrote stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.generated_part import write_part


def test_only_the_end_is_replaced(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("# Title\n\nBy hand.\n\n<!-- Below this line: a tool -->\n\nold\n")
    for part in ("new", "newer\n\n"):
        write_part(document, part)
    assert document.read_text() == "# Title\n\nBy hand.\n\n<!-- Below this line: a tool -->\n\nnewer\n"


def test_a_document_without_the_mark_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("# Title\n")
    with pytest.raises(ValueError, match="has no line"):
        write_part(document, "new")
    assert document.read_text() == "# Title\n"
