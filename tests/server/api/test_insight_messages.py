"""The answers of InsightsService: of English as they always were, of other languages with what can be told of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from meetra.v1 import insights_pb2 as pb

from server.api.answers import Answers
from server.api.insights import InsightsServicer
from server.conversation import Conversation
from tests.server.api.stored_answers import Stored
from tests.server.insights.meetings_in_languages import ENGINE, ENGLISH_LINES, german, german_and_english, meeting, talk

HASH = "0" * 64
METHODS: dict[str, Callable[..., Message]] = {
    "GetMeetingSentiment": pb.GetMeetingSentimentRequest,
    "GetMeetingEmotions": pb.GetMeetingEmotionsRequest,
    "GetSpeakerEmotionsOverTime": pb.GetSpeakerEmotionsOverTimeRequest,
    "GetMeetingDynamics": pb.GetMeetingDynamicsRequest,
    "GetDetailsByTopics": pb.GetDetailsByTopicsRequest,
    "GetQuestions": pb.GetQuestionsRequest,
    "GetTranscription": pb.GetTranscriptionRequest,
    "GetKeyPoints": pb.GetKeyPointsRequest,
    "GetTextSummaries": pb.GetTextSummariesRequest,
    "GetMeetingNotes": pb.GetMeetingNotesRequest,
    "GetMeetingQuality": pb.GetMeetingQualityRequest,
}


async def asked(stored: Stored, name: str, *, details: bool = False) -> dict[str, Any]:
    """The JSON that REST gives."""
    method = getattr(InsightsServicer(cast(Answers, stored)), name)
    fields = {"file_hash": HASH, **({"include_details": True} if details else {})}
    message = await cast("Awaitable[Message]", method(METHODS[name](**fields), None))
    return MessageToDict(message, always_print_fields_with_no_presence=True)


def english() -> Conversation:
    """Two lines said five times."""
    return talk(meeting("en", *(ENGLISH_LINES * 5)))


async def test_a_german_meeting_has_no_neutral_values_in_its_json() -> None:
    stored = Stored(german())
    sentiment = await asked(stored, "GetMeetingSentiment", details=True)
    reason = "Sentiment is measured in English only; this meeting is in German (de)."
    support = sentiment["details"].pop("support")
    assert sentiment == {"reason": reason, "details": {"sentences": 0, "sentences_in_all": 7}}
    assert (support["sufficient"], support["reason"]) == (False, reason)
    emotions = await asked(stored, "GetMeetingEmotions")
    assert emotions == {"reason": "Emotions are measured in English only; this meeting is in German (de)."}
    by_minute = await asked(stored, "GetSpeakerEmotionsOverTime")
    assert by_minute["reason"] == emotions["reason"]
    assert [chunk["emotions"] for chunk in by_minute["chunks"]] == [{}]
    (period,) = (await asked(stored, "GetMeetingDynamics"))["dynamics"]
    assert set(period) == {"start", "end", "energy_score", "interactions_score", "emotions", "reason"}
    (detail,) = (await asked(stored, "GetDetailsByTopics"))["topics"]
    assert {"sentiment", "emotions_score"}.isdisjoint(detail)
    assert detail["energy"]["emotions"] == period["emotions"] == []
    report = await asked(stored, "GetMeetingQuality")
    assert set(report["group_dynamics"]) == {"speakers", "meeting_energy", "nodes", "reason"}
    assert report["context"]["topics"][0]["topic"] == "Budget"


async def test_everything_of_an_english_meeting_is_there_and_no_reason() -> None:
    stored = Stored(english())
    for name in METHODS:
        assert '"reason"' not in json.dumps(await asked(stored, name)).replace('"reason": ""', "")
    assert await asked(stored, "GetMeetingSentiment") == {"sentiment_score": 80}
    details = (await asked(stored, "GetMeetingSentiment", details=True))["details"]
    assert set(details) == {"label", "mean_polarity", "sentences", "support"}
    assert set(details["support"]) == {"definition_version", "speakers", "speech_seconds", "sufficient", "reason"}
    assert set(await asked(stored, "GetMeetingEmotions")) == {"meeting_emotions"}
    (period,) = (await asked(stored, "GetMeetingDynamics"))["dynamics"]
    assert (period["sentiment"], period["emotions"]) == ("Positive", ["Happiness"])
    (detail,) = (await asked(stored, "GetDetailsByTopics"))["topics"]
    assert (detail["sentiment"], detail["emotions_score"]) == ("Positive", 100)
    assert (await asked(stored, "GetMeetingQuality"))["flow"]["speakers"][0]["questions"] == 0


async def test_a_mixed_meeting_says_how_much_of_it_was_read() -> None:
    stored = Stored(german_and_english())
    sentiment = await asked(stored, "GetMeetingSentiment", details=True)
    assert (sentiment["sentiment_score"], "reason" in sentiment) == (80, False)
    assert (sentiment["details"]["sentences"], sentiment["details"]["sentences_in_all"]) == (2, 9)
    note = "Sentiment is measured on 2 of 9 sentences: those in English."
    assert sentiment["details"]["support"]["note"] == note
    assert (await asked(stored, "GetMeetingQuality"))["support"]["note"] == note
    emotions = await asked(stored, "GetMeetingEmotions", details=True)
    assert emotions["details"]["note"] == "Emotions are measured on 2 of 9 sentences: those in English."


@pytest.mark.parametrize(
    "name", ["GetTranscription", "GetKeyPoints", "GetTextSummaries", "GetQuestions", "GetMeetingNotes"]
)
async def test_answers_made_of_words_say_their_language(name: str) -> None:
    stored = Stored(replace(german(), language="de", language_confidence=0.98))
    details = (await asked(stored, name, details=True))["details"]
    assert (details["language"], details["language_confidence"]) == ("de", 0.98)
    given = Stored(replace(german(), language="de"))
    assert "language_confidence" not in (await asked(given, name, details=True))["details"]
    unknown = Stored(german())
    assert "language" not in (await asked(unknown, name, details=True))["details"]


async def test_how_questions_were_told_is_said() -> None:
    marked = await asked(Stored(german()), "GetQuestions", details=True)
    assert marked["details"]["method"] == "marks"
    bare = tuple((who, text.lower().rstrip(".")) for who, text in ENGLISH_LINES)
    assert (await asked(Stored(talk(meeting("en", *bare))), "GetQuestions", details=True))["details"][
        "method"
    ] == "rules"
    untold = await asked(Stored(talk(meeting("th", (1, "วันนี้ เรา พูด")))), "GetQuestions", details=True)
    assert untold["details"]["method"] == "none"
    assert (
        untold["reason"]
        == "Without question marks, questions are detected in English only; this meeting is in Thai (th)."
    )


async def test_answers_stored_before_languages_were_told_are_read() -> None:
    old, today = Stored(english(), of_old=True), Stored(english())
    for name in METHODS.keys() - {"GetMeetingNotes"}:
        details = "include_details" in METHODS[name](file_hash=HASH).DESCRIPTOR.fields_by_name
        before, now = await asked(old, name, details=details), await asked(today, name, details=details)
        if name == "GetQuestions":
            # It was not said how.
            assert (before["details"].pop("method"), now["details"].pop("method")) == ("rules", "marks")
        if name == "GetMeetingQuality":
            # There were no notes.
            assert ("notes" in before["context"], "notes" in now["context"]) == (False, True)
            del now["context"]["notes"]
        assert before == now


async def test_without_words_no_text_is_reliable_and_every_answer_says_why() -> None:
    notice = "No speech was found. Analysed: the whole recording, 12 s at -63.2 dBFS, barely audible."
    stored = Stored(Conversation(12_000_000, (), (), ENGINE), notice=notice)
    for name in ("GetTranscription", "GetKeyPoints", "GetTextSummaries", "GetQuestions"):
        details = (await asked(stored, name, details=True))["details"]
        assert (details["reliable"], details["advice"], details["notice"]) == (False, notice, notice)
        assert "mean_word_confidence" not in details
    assert (await asked(stored, "GetMeetingQuality"))["notice"] == notice


async def test_where_there_is_nothing_to_say_there_is_no_notice() -> None:
    for name in METHODS:
        assert '"notice"' not in json.dumps(await asked(Stored(english()), name, details=name == "GetTranscription"))
