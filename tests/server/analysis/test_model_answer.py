"""A language model's answer: what of it is taken, and that no line of the notes rests on nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.analysis.model_answer import (
    MAX_ITEMS,
    ModelTexts,
    UnusableSummary,
    format_transcript,
    parse_answer,
)
from server.insights import WrittenNotes, compute_answers
from tests.server.insights.meetings_in_languages import meeting, talk

TALK = talk(
    meeting(
        "en",
        (1, "Good morning, today we talk about the annual budget."),
        (2, "The new server is too expensive."),
        (1, "So we do without it until May."),
        (1, "Laura, can you ask the bank by Friday?"),
        (2, "Sure, I will."),
    )
)
# Written by hand for that meeting.
RECORDED: dict[str, Any] = {
    "meeting": [
        {"text": "The team discussed the annual budget.", "sentences": [1]},
        {"text": "They do without a new server.", "sentences": [3, 2]},
    ],
    "speakers": {"1": ["Leads."], "2": ["Warns of costs."]},
    "chapters": [
        {"title": "Bank", "first": 4, "points": []},
        {"title": "Server", "first": 1, "points": [{"text": "Too expensive.", "sentences": [2]}]},
    ],
    "action_items": [{"text": "Ask the bank.", "who": 2, "due": "by Friday", "sentences": [4, 5]}],
    "decisions": [{"text": "No new server until May.", "sentences": [3]}],
}


def parsed(**changed: Any) -> ModelTexts:
    return parse_answer(json.dumps({**RECORDED, **changed}), TALK)


def notes(**changed: Any) -> WrittenNotes:
    return parsed(**changed).notes


def test_the_transcript_has_numbered_sentences_and_speakers() -> None:
    lines = format_transcript(TALK, 10_000).splitlines()
    assert lines[1] == "2 [2] The new server is too expensive."
    assert len(lines) == len(TALK.sentences)
    assert "[...]" in format_transcript(TALK, 40)
    assert len(format_transcript(TALK, 40)) < 60


def test_a_recorded_answer_becomes_summaries_and_notes() -> None:
    summaries, found = parsed()
    assert summaries["meeting"] == [line["text"] for line in RECORDED["meeting"]]
    assert summaries["speakers"] == [[1, ["Leads."]], [2, ["Warns of costs."]]]
    assert found["summary"][1] == {"text": "They do without a new server.", "sentences": [2, 3]}
    assert [(chapter["title"], chapter["start_ms"]) for chapter in found["chapters"]] == [
        ("Server", 0),
        ("Bank", TALK.sentences[3].start_us // 1000),
    ]
    assert found["action_items"] == [
        {"text": "Ask the bank.", "sentences": [4, 5], "owner": 5, "person": None, "due": "by Friday"}
    ]
    stored = compute_answers(TALK, *parsed())["notes"].document
    assert set(stored["methods"].values()) == {"abstractive"}
    assert stored["action_items"][0]["speaker"] == 2
    numbers = {cited["number"] for line in stored["summary"] for cited in line["sentences"]}
    assert numbers == {1, 2, 3}


@pytest.mark.parametrize(
    "cited",
    [None, [], [0], [6], [-1], ["1"], [True], [1.0], [[1]], {"1": 1}, 1, [10**30], [None]],
    ids=lambda cited: json.dumps(cited)[:12],
)
def test_a_line_that_rests_on_no_sentence_is_left_out_and_rules_take_its_place(cited: Any) -> None:
    line = {"text": "We buy it.", "sentences": cited}
    assert "decisions" not in notes(decisions=[line])
    assert "action_items" not in notes(action_items=[{**line, "who": 1}])
    assert "summary" not in notes(meeting=[line])
    stored = compute_answers(TALK, *parsed(decisions=[line], action_items=[line]))["notes"].document
    assert (stored["methods"]["decisions"], stored["methods"]["action_items"]) == ("rules", "rules")
    assert [item["text"] for item in stored["action_items"]] == ["Laura, can you ask the bank by Friday?"]


def test_numbers_that_do_not_exist_are_left_out_of_a_line_that_has_others() -> None:
    assert notes(decisions=[{"text": "x", "sentences": [99, 3, 3, 1]}])["decisions"] == [
        {"text": "x", "sentences": [1, 3]}
    ]


@pytest.mark.parametrize(
    ("who", "owner", "person"),
    [
        (1, 4, None),
        ("1", 4, None),
        ("Speaker 2", 2, None),
        ("[2]", 2, None),
        ("Laura", None, "Laura"),
        (None, None, None),
        (7, None, None),
        (0, None, None),
        (10**30, None, None),
        (["Laura"], None, None),
        (True, None, None),
        ("  \u202e ", None, None),
    ],
    ids=["number", "digits", "speaker", "brackets", "name", "null", "nobody", "zero", "huge", "list", "true", "hidden"],
)
def test_who_is_a_speaker_or_a_name(who: Any, owner: int | None, person: str | None) -> None:
    line = {"text": "x", "sentences": [4 if owner == 4 else 3], "who": who}
    (item,) = notes(action_items=[line])["action_items"]
    assert (item["owner"], item["person"], item["due"]) == (owner, person, None)


@pytest.mark.parametrize(
    "part", ["chapters", "action_items", "decisions"], ids=["chapters", "action items", "decisions"]
)
@pytest.mark.parametrize(
    "value",
    [None, "x", 1, {"a": 1}, [None], [1], ["x"], [{}], [{"text": 1}], [[[]]], [{"text": "\x00", "sentences": [1]}]],
    ids=lambda value: json.dumps(value)[:16],
)
def test_an_unusable_part_leaves_the_others_and_is_extracted(part: str, value: Any) -> None:
    found = parsed(**{part: value})
    assert part not in found.notes
    assert set(found.notes) == {"summary", "chapters", "action_items", "decisions"} - {part}
    assert compute_answers(TALK, *found)["notes"].document["methods"][part] in ("extractive", "rules")


def test_an_empty_part_says_that_there_is_none() -> None:
    found = notes(action_items=[], decisions=[], chapters=[])
    assert (found["action_items"], found["decisions"]) == ([], [])
    # A meeting without chapters has no meaning.
    assert "chapters" not in found


def test_an_answer_without_notes_is_a_summary_as_before() -> None:
    answer = parse_answer(json.dumps({"meeting": ["Fine."]}), TALK)
    assert (answer.summaries["meeting"], answer.notes) == (["Fine."], {})


def test_parts_are_bounded() -> None:
    many = [{"text": f"{i}", "sentences": [1] * 1000} for i in range(1000)]
    assert len(notes(decisions=many)["decisions"]) == MAX_ITEMS


@pytest.mark.parametrize("value", [None, [], [None], [{"text": 1}], [{"sentences": [1]}]], ids=str)
def test_without_a_summary_of_the_meeting_nothing_is_taken(value: Any) -> None:
    with pytest.raises(UnusableSummary):
        parsed(meeting=value)
