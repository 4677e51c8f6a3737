"""How much conversation a score is based on, and what is said when it is too little."""

from __future__ import annotations

import pytest

from server.insights.timeline import build_timeline, compute_support
from tests.server.conversation.spoken import conversation


@pytest.mark.parametrize(
    ("parts", "needed", "reason"),
    [
        ([], 1, "requires 1 speaker; found 0"),
        ([(1, 0, 60)], 2, "requires 2 speakers; found 1"),
        ([(1, 0, 4), (2, 4, 9.5)], 2, "requires 10 s of speech; found 9.5 s"),
        ([(1, 0, 4), (2, 4, 10)], 2, ""),
        # At the same time is not twice as much.
        ([(1, 0, 6), (2, 0, 6)], 2, "requires 10 s of speech; found 6.0 s"),
    ],
)
def test_what_is_missing_is_said(parts: list[tuple[int, float, float]], needed: int, reason: str) -> None:
    found = compute_support(build_timeline(conversation(*parts)), "3", needed)
    assert (found.reason, found.sufficient, found.definition_version) == (reason, not reason, "3")
    assert found.to_document()["speech_seconds"] == found.speech_seconds
