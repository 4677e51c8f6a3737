"""Utterances and turns: speech of one speaker, joined over short gaps."""

from __future__ import annotations

from server.conversation import (
    find_turns,
    find_utterances,
)
from tests.server.conversation.spoken import S, conversation


def test_utterances_join_over_short_gaps_and_backchannels_take_no_turn() -> None:
    talk = conversation((1, 0, 3), (1, 3.4, 6), (2, 6.2, 6.9), (1, 7, 9), (2, 9.5, 12))
    spoken = find_utterances(talk)
    assert [(u.speaker, u.start_us / S, u.end_us / S) for u in spoken] == [
        (1, 0, 6),
        (2, 6.2, 6.9),
        (1, 7, 9),
        (2, 9.5, 12),
    ]
    assert [(t.speaker, t.start_us / S, t.end_us / S) for t in find_turns(spoken)] == [(1, 0, 9), (2, 9.5, 12)]
