"""Texts without times: names of files, meetings and speakers."""

from __future__ import annotations

import pytest

from server.conversation import RedactionKind
from server.redaction import RedactionRules, redact_text

RULES = RedactionRules.create(RedactionKind, ["Daniel Müller"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Weekly sync", "Weekly sync", id="nothing"),
        pytest.param("call_+4915112345678.wav", "call_[PHONE].wav", id="a recorder's file"),
        pytest.param("Interview  with Daniel Müller (2)", "Interview  with [NAME] (2)", id="a person"),
        pytest.param("for ann@example.com", "for [EMAIL]", id="an address at the end"),
        pytest.param("with ann.lee at example.com", "with [EMAIL]", id="an address that is half spoken"),
        pytest.param("ann dot lee at example.com.wav", "[EMAIL].wav", id="a file named by it"),
        pytest.param("team meeting at noon.mp4", "team meeting at noon.mp4", id="a time of day"),
        pytest.param("recording 2026-11-29 10.30.m4a", "recording 2026-11-29 10.30.m4a", id="a date"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_name(text: str, expected: str) -> None:
    assert redact_text(text, RULES) == expected
