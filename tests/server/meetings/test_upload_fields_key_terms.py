"""Key terms as they come with an upload: in which forms, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from server.audio.audio_log import AudioLog
from server.errors import BadRequest
from server.meetings.upload_body import KEY_TERMS, MAX_LISTS, create_body
from server.meetings.upload_fields import validate_details, validate_key_terms

BOUNDARY = "between"


def test_terms_are_separated_by_commas_or_line_breaks_and_stripped() -> None:
    assert validate_key_terms(" Kubernetes , Zoë Müller,,\r\nACME Corp.\n \n東京都") == (
        "Kubernetes",
        "Zoë Müller",
        "ACME Corp.",
        "東京都",
    )
    assert validate_key_terms("") == validate_key_terms(" ,\n, ") == ()


def test_of_terms_that_differ_by_capitals_alone_the_first_counts() -> None:
    assert validate_key_terms("Zoë, kubernetes, ZOË, Kubernetes, zoe") == ("Zoë", "kubernetes", "zoe")


@given(st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30), max_size=30))
def test_what_was_checked_is_good_and_stays_as_it_is(texts: list[str]) -> None:
    try:
        terms = validate_key_terms("\n".join(texts))
    except BadRequest:
        # Characters that nobody sees, or that turn the text around.
        reject()
    assert validate_key_terms(", ".join(terms)) == terms
    assert all(term == term.strip() and term and "," not in term for term in terms)
    assert len({term.casefold() for term in terms}) == len(terms)


def test_a_hundred_terms_of_a_hundred_characters_are_accepted() -> None:
    terms = tuple(f"{number:03d}" + "名" * 97 for number in range(100))
    assert validate_key_terms(",".join(terms)) == terms
    # What is said twice is one term.
    assert validate_key_terms(",".join(terms + terms)) == terms


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        (",".join(f"t{number}" for number in range(101)), "101 terms; the limit is 100"),
        ("fine, " + "n" * 101, "exceeds 100 characters"),
        ("a\tb", "contains control characters"),
        ("a\0", "contains control characters"),
        ("a\u2028b", "contains control characters"),
    ],
)
def test_what_is_wrong_is_named_with_the_fix(text: str, fix: str) -> None:
    with pytest.raises(BadRequest) as raised:
        validate_details({"key_terms": text}, None)
    assert raised.value.parameter == "key_terms"
    assert fix in raised.value.fix


def uploaded(folder: Path, parts: Sequence[tuple[str, str]], query: str = "", piece_bytes: int = 1 << 20) -> str:
    """``key_terms`` of a multipart body, with what the query said before."""
    lines = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in parts]
    data = ("".join(lines) + f"--{BOUNDARY}--\r\n").encode()
    with AudioLog(folder).receive(1 << 20) as recording:
        body = create_body(f"multipart/form-data; boundary={BOUNDARY}", recording)
        if query:
            body.fields["key_terms"] = query
        for start in range(0, len(data), piece_bytes):
            body.feed(data[start : start + piece_bytes])
        body.close()
    return body.fields.get("key_terms", "")


FILE = ("file", "RIFF")


@pytest.mark.parametrize("piece_bytes", [7, 1 << 20])
def test_parts_and_query_parameters_add_up(tmp_path: Path, piece_bytes: int) -> None:
    parts = [("key_terms", "Zoë, Ben"), FILE, ("name", "a"), ("name", "b"), ("key_terms", "Kubernetes")]
    assert validate_key_terms(uploaded(tmp_path, parts, "ACME", piece_bytes)) == ("ACME", "Zoë", "Ben", "Kubernetes")
    assert uploaded(tmp_path, [FILE]) == ""


def test_a_part_has_room_for_all_terms_and_no_more(tmp_path: Path) -> None:
    terms = ",".join(f"{number:03d}" + "𝒏" * 97 for number in range(100))
    assert uploaded(tmp_path, [("key_terms", terms), FILE]) == terms
    with pytest.raises(BadRequest, match="key_terms: at most"):
        uploaded(tmp_path, [("key_terms", "n" * (MAX_LISTS[KEY_TERMS] + 1)), FILE])
    with pytest.raises(BadRequest, match="name: at most 4096"):
        uploaded(tmp_path, [("name", "n" * 4097), FILE])
