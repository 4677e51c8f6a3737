"""Queries, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import BadRequest
from server.search.query import MAX_QUERY, MAX_TERMS, Query, Term, TermKind, parse_query


def word(text: str) -> Term:
    return Term(TermKind.WORD, text)


def phrase(text: str) -> Term:
    return Term(TermKind.PHRASE, text)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        pytest.param(
            "Budget budget 2026", Query((word("budget"), word("2026")), (), (), "Budget budget 2026"), id="words"
        ),
        pytest.param(
            'the "Release date"',
            Query((word("the"), phrase("release date")), (phrase("release date"),), (), "the Release date"),
            id="phrase",
        ),
        pytest.param(
            '"budget"', Query((word("budget"),), (word("budget"),), (), "budget"), id="one word in quotes is required"
        ),
        pytest.param(
            'price -invoice -"old plan"',
            Query((word("price"),), (), (word("invoice"), phrase("old plan")), "price"),
            id="excluded",
        ),
        pytest.param(
            "up-to-date - x",
            Query((word("up"), word("to"), word("date"), word("x")), (), (), "up-to-date x"),
            id="hyphens in words, and alone",
        ),
        pytest.param(
            "天気予報", Query((word("天気"), word("気予"), word("予報")), (), (), "天気予報"), id="letters by pairs"
        ),
        pytest.param("猫", Query((Term(TermKind.PREFIX, "猫"),), (), (), "猫"), id="one letter begins a pair"),
        pytest.param(
            '"天気予報 OK"',
            Query((phrase("天気 気予 予報 報 ok"),), (phrase("天気 気予 予報 報 ok"),), (), "天気予報 OK"),
            id="phrase of letters",
        ),
        pytest.param(
            '"unfinished quote', Query((word("unfinished"), word("quote")), (), (), "unfinished quote"), id="open"
        ),
    ],
)
def test_a_query_is_taken_apart(text: str, query: Query) -> None:
    assert parse_query(text) == query


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("?!", id="signs"),
        pytest.param("-only -this", id="only excluded"),
        pytest.param("a" * (MAX_QUERY + 1), id="too long"),
        pytest.param(" ".join(str(n) for n in range(MAX_TERMS + 1)), id="too many words"),
    ],
)
def test_a_query_without_anything_to_find_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="query"):
        parse_query(text)


@given(st.text(max_size=MAX_QUERY))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    try:
        query = parse_query(text)
    except BadRequest:
        return
    assert 0 < len(query.terms) <= MAX_TERMS
    assert all(term.text for term in (*query.terms, *query.required, *query.excluded))
