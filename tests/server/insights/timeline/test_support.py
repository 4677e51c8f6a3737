"""How much conversation a score is based on, and what is said when it is too little."""

from __future__ import annotations

import pytest

from server.insights.timeline import build_timeline, compute_support
from tests.server.conversation.spoken import conversation


@pytest.mark.parametrize(
    ("parts", "needed", "reason"),
    [
        ([], 1, "1 speakers are needed, 0 heard"),
        ([(1, 0, 60)], 2, "2 speakers are needed, 1 heard"),
        ([(1, 0, 4), (2, 4, 9.5)], 2, "10 s of speech are needed, 9.5 s heard"),
        ([(1, 0, 4), (2, 4, 10)], 2, ""),
        # At the same time is not twice as much.
        ([(1, 0, 6), (2, 0, 6)], 2, "10 s of speech are needed, 6.0 s heard"),
    ],
)
def test_what_is_missing_is_said(parts: list[tuple[int, float, float]], needed: int, reason: str) -> None:
    found = compute_support(build_timeline(conversation(*parts)), "3", needed)
    assert (found.reason, found.sufficient, found.definition_version) == (reason, not reason, "3")
    assert found.to_document()["speech_seconds"] == found.speech_seconds
