"""The transcript."""

from __future__ import annotations

from dataclasses import replace

from server.conversation import Conversation, Segment, Word, split_sentences
from server.insights.transcript import transcript
from tests.server.conversation.spoken import ENGINE, S


def test_statements_join_one_speakers_segments_and_low_confidence_is_unreliable() -> None:
    def said(number: int, speaker: int, *texts: str) -> Segment:
        start = number * S
        return Segment(number, speaker, start, start + S, tuple(Word(t, start, start + 9, 0.4) for t in texts))

    parts = (said(1, 1, "good"), said(2, 1, "morning"), said(3, 2), said(4, 1, "all"), said(5, 2, "hi"))
    talk = Conversation(10 * S, (1, 2), parts, ENGINE)
    found = transcript(replace(talk, sentences=split_sentences(talk)))
    assert [(e.speaker, e.text, e.start_ms) for e in found.entries] == [
        (1, "Good. Morning. All.", 1000),
        (2, "Hi.", 5000),
    ]
    assert not found.reliable
