"""Languages by their English names."""

from __future__ import annotations

import pytest

from server.conversation import language_display_name


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
    assert language_display_name(tag) == name
