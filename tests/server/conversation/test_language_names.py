"""Languages by their English names."""

from __future__ import annotations

import pytest

from server.conversation import named_language


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("de", "German (de)"),
        ("yue", "Cantonese (yue)"),
        # What has no name, or is no tag at all, stays what it is.
        ("qqq", "qqq"),
        ("", ""),
        ("no language", "no language"),
    ],
)
def test_a_language_is_named_or_stays_its_tag(tag: str, name: str) -> None:
    assert named_language(tag) == name
