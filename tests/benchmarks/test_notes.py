"""Scoring of action items and decisions, on a meeting whose score can be counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.notes import ACTIONS, DECISIONS, NotedMeeting, by_rules, by_words, load, rows, score


def act(number: int, channel: str, start: float, text: str) -> dict[str, object]:
    return {"id": f"m.{number}", "ch": channel, "start": start, "end": start + 2, "act": "Inform", "text": text}


@pytest.fixture
def meeting(tmp_path: Path) -> NotedMeeting:
    """Two action items, of which one is said as rules know it; one decision; a promise that no annotator noted."""
    document = {
        "speakers": {"A": {}, "B": {}},
        "dialogue_acts": [
            act(1, "A", 0, "I'll send you the report by Friday."),
            act(2, "B", 3, "I'll book the room by Monday."),
            act(3, "B", 6, "User requirements, that is for you."),
            act(4, "A", 9, "We have decided to use the blue one."),
            act(5, "A", 12, "The weather is nice."),
        ],
        "summary": {
            "abstract": ["x"],
            "actions": ["Report.", "Requirements."],
            "decisions": ["Blue.", "?"],
            "problems": [],
        },
        "summary_links": [
            {"extractive": "m.5", "abstractive": "m.x.s.1"},
            {"extractive": "m.1", "abstractive": "m.x.s.2"},
            {"extractive": "m.5", "abstractive": "m.x.s.2"},
            {"extractive": "m.3", "abstractive": "m.x.s.3"},
            {"extractive": "m.4", "abstractive": "m.x.s.4"},
        ],
    }
    path = tmp_path / "m.json"
    path.write_text(json.dumps(document))
    return load(path)


def test_lines_and_truths_are_counted(meeting: NotedMeeting) -> None:
    assert score([meeting], ACTIONS, by_rules(ACTIONS)) == {
        "truths": 2,
        "lines": 2,
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
    }
    assert score([meeting], DECISIONS, by_rules(DECISIONS))["f1"] == 1.0
    assert score([meeting], DECISIONS, by_words(DECISIONS))["precision"] == 1.0
    assert score([], ACTIONS, by_rules(ACTIONS)) == {
        "truths": 0,
        "lines": 0,
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
    }


def test_a_sentence_by_another_speaker_at_the_same_time_is_no_truth(meeting: NotedMeeting) -> None:
    (report, _), _ = meeting.truths[ACTIONS]
    first, second = meeting.conversation.sentences[:2]
    assert report.is_said_in(first)
    assert not report.is_said_in(second)


def test_there_is_a_row_for_each_half(meeting: NotedMeeting) -> None:
    found = rows([meeting, meeting, meeting])
    assert [row["meetings"] for row in found] == [2, 1, 3] * 2
