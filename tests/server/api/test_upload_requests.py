"""What uploads over plain HTTP have in common."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from server.api.upload_requests import declared_bytes


@pytest.mark.parametrize(
    ("stated", "size_bytes"),
    [
        ("9000000000", 9_000_000_000),
        ("9" * 18, int("9" * 18)),
        *((value, 0) for value in ("", "-1", "1.5", "1e9", "many", "9" * 19, "\u00b2")),
    ],
)
def test_a_size_is_believed_if_it_is_a_number_of_bytes(stated: str, size_bytes: int) -> None:
    request = Request({"type": "http", "headers": [(b"content-length", stated.encode("latin-1"))]})
    assert declared_bytes(request) == size_bytes


def test_a_size_that_is_not_stated_is_unknown() -> None:
    assert declared_bytes(Request({"type": "http", "headers": []})) == 0
