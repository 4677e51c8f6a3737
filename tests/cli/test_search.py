"""``meetra search``: what it prints."""

from __future__ import annotations

import pytest
from meetra.v1 import search_pb2

from cli.__main__ import parser
from cli.search import describe


@pytest.mark.parametrize(
    ("fields", "printed"),
    [
        pytest.param(
            {"matched_words": ["budget", "plan"], "similarity": 0.4},
            "Weekly, 2026-11-23, 01:02:03, Ada  [budget, plan]\n  The plan.",
            id="words",
        ),
        pytest.param(
            {"similarity": 0.456}, "Weekly, 2026-11-23, 01:02:03, Ada  [meaning 0.46]\n  The plan.", id="meaning"
        ),
        pytest.param(
            {"meeting": "", "speaker": "", "date": "", "matched_words": ["plan"]},
            "ffffffffffff, 2026-11-29, 01:02:03, unknown speaker  [plan]\n  The plan.",
            id="without names",
        ),
    ],
)
def test_a_result_says_where_it_is_from_and_why(fields: dict[str, object], printed: str) -> None:
    known = {"meeting": "Weekly", "speaker": "Ada", "date": "2026-11-23", "created_at": "2026-11-29T08:00:00+00:00"}
    result = search_pb2.SearchResult(
        file_hash="f" * 64,
        start_ms=3723999,
        text="The plan.",
        **{**known, **fields},  # type: ignore[arg-type]
    )
    assert describe(result) == printed


def test_words_of_the_query_need_no_quotes() -> None:
    arguments = parser().parse_args(["search", "release", "date", "--from", "2026-11-01", "--limit", "5"])
    assert (arguments.query, arguments.date_from, arguments.limit, arguments.by) == (
        ["release", "date"],
        "2026-11-01",
        5,
        "",
    )
