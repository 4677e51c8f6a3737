"""Comments of protos are shown as they are, with links to documents and protos."""

from __future__ import annotations

import pytest

from tools.site.prose import cell, prose


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("A `file_hash` of <b> | *x*", "A `file_hash` of &lt;b> &#124; \\*x\\*", id="no markup"),
        pytest.param("See docs/rest.md.", "See [rest.md](../rest.md).", id="a document"),
        pytest.param("Errors: errors.proto", "Errors: [errors.proto](errors.md)", id="a proto"),
        pytest.param("In other.proto", "In other.proto", id="a proto without a page"),
    ],
)
def test_a_comment_is_text(text: str, expected: str) -> None:
    assert prose(text, "grpc/live.md", frozenset({"errors", "live"})) == expected


def test_a_cell_has_one_line_and_no_bars() -> None:
    assert cell("`a | b`\nc") == "`a \\| b` c"
