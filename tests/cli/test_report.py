"""What the report in the terminal says of meetings in other languages than English."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from typing import Any, cast

from meetra.v1 import insights_pb2 as pb
from meetra.v1 import speakers_pb2
from rich.console import Console

from cli.answers import MeetingAnswers
from cli.report import show
from server.api.answers import Answers
from server.api.insights import InsightsServicer
from server.conversation import Conversation
from tests.server.api.stored_answers import SPEAKERS, Stored
from tests.server.insights.meetings_in_languages import ENGINE, ENGLISH_LINES, german, german_and_english, meeting, talk

METHODS = {
    "quality": "GetMeetingQuality",
    "balance": "GetBalanceScore",
    "shares": "GetSpeakersBalance",
    "interaction": "GetInteractionScore",
    "pairs": "GetInteractions",
    "energy": "GetMeetingEnergy",
    "sentiment": "GetMeetingSentiment",
    "emotions": "GetMeetingEmotions",
    "emotions_over_time": "GetSpeakerEmotionsOverTime",
    "dynamics": "GetMeetingDynamics",
    "topics": "GetTopics",
    "details_by_topics": "GetDetailsByTopics",
    "summaries": "GetTextSummaries",
    "key_points": "GetKeyPoints",
    "questions": "GetQuestions",
    "audio_quality": "GetSpeakersAudioQuality",
    "transcript": "GetTranscription",
}


async def report(conversation: Conversation, notice: str = "", alias: str = "") -> str:
    """The report, as it is printed; ``alias``: what everybody is called."""
    servicer = InsightsServicer(cast(Answers, Stored(conversation, notice=notice)))
    found: dict[str, Any] = {}
    for name, method in METHODS.items():
        request = getattr(pb, f"{method}Request")(file_hash="0" * 64)
        if "include_details" in request.DESCRIPTOR.fields_by_name:
            request.include_details = True
        found[name] = await getattr(servicer, method)(request, None)
    assert {field.name for field in fields(MeetingAnswers)} == {"speakers", *METHODS}
    listed = [
        speakers_pb2.Speaker(id=str(s.id), alias=alias or s.alias) for s in SPEAKERS if s.label in conversation.speakers
    ]
    console = Console(width=200, file=io.StringIO(), record=True)
    show(console, "Besprechung", MeetingAnswers(speakers=speakers_pb2.ListSpeakersResponse(speakers=listed), **found))
    return console.export_text()


async def test_a_german_meeting_is_shown_with_its_language_and_without_feelings() -> None:
    shown = await report(replace(german(), language="de", language_confidence=0.98))
    assert "Language: German (de), confidence 0.98" in shown
    assert "Sentiment and emotions are measured in English only; this meeting is in German (de).\n" in shown
    assert "Neutral" not in shown
    assert "Emotions in the words" not in shown
    assert not any(line.startswith("Sentiment  ") for line in shown.splitlines())
    assert "Budget" in shown


async def test_a_mixed_meeting_says_how_much_was_read() -> None:
    shown = await report(german_and_english())
    assert "Sentiment    80" in shown
    assert "Positive; Sentiment is measured on 2 of 9 sentences: those in English." in shown
    assert "Emotions in the words: happiness 100 %" in shown


async def test_an_english_meeting_of_an_engine_that_says_no_language_has_no_such_lines() -> None:
    shown = await report(talk(meeting("en", *(ENGLISH_LINES * 5))))
    assert "Language:" not in shown
    assert "English" not in shown


async def test_what_is_to_be_done_and_was_decided_is_shown_with_its_time() -> None:
    said = (*ENGLISH_LINES, (1, "We have decided to keep it."), (1, "I'll send the offer by Friday."))
    shown = await report(talk(meeting("en", *said)))
    assert "Action items (by rules of English)\n  00:00:12  Speaker 1: I'll send the offer by Friday.\n" in shown
    assert "Decisions (by rules of English)\n  00:00:08  We have decided to keep it.\n" in shown
    foreign = await report(german())
    assert "  Action items and decisions are found in English only; this meeting is in German (de).\n" in foreign
    many = tuple((1, f"I'll send offer {number} by Friday.") for number in range(15))
    assert "  ... and 3 more action items\n" in await report(talk(meeting("en", *many)))


async def test_questions_that_cannot_be_told_are_said_to_be_missing() -> None:
    shown = await report(talk(meeting("th", (1, "วันนี้ เรา พูด"), (2, "ของ เรา ไม่ พอ"))))
    assert "Without question marks, questions are detected in English only; this meeting is in Thai (th)." in shown


async def test_a_recording_without_speech_says_so_first() -> None:
    notice = "No speech was found. Analysed: the whole recording, 12 s at -63.2 dBFS, barely audible."
    shown = (await report(Conversation(12_000_000, (), (), ENGINE), notice)).splitlines()
    assert shown[2] == notice
    # A meeting of before there were notices.
    assert "This recording contains no speech." in await report(Conversation(12_000_000, (), (), ENGINE))


async def test_a_name_neither_acts_on_the_terminal_nor_breaks_the_report() -> None:
    assert "\x1b" not in (printed := await report(german(), alias="\x1b[2J\u202ex"))
    assert "\\x1b[2J\\u202ex" in printed
    # Rich would read this as markup, and refuse what closes nothing.
    assert "[/bold] [red]" in await report(german(), alias="[/bold] [red]")
    assert "\u2068שרה\u2069" in await report(german(), alias="שרה")
