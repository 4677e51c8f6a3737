"""The timeline that scores are computed from."""

from __future__ import annotations

import json

from hypothesis import given

from server.conversation import Conversation
from server.insights.shares import shares
from server.insights.timeline import Timeline, Window, build_timeline
from tests.server.conversation.spoken import S, conversation
from tests.server.insights.talks import talks


@given(talks())
def test_a_timeline_survives_its_document(talk: Conversation) -> None:
    line = build_timeline(talk)
    assert Timeline.from_document(json.loads(json.dumps(line.to_document()))) == line


def test_overlapping_speech_counts_for_each_and_once_for_the_talking_time() -> None:
    talk = build_timeline(conversation((1, 0, 20), (2, 10, 30)))
    assert [s.speaking_ms for s in shares(talk).speakers] == [20_000, 20_000]
    assert talk.speech_us(Window(0, 30 * S)) == 30 * S
