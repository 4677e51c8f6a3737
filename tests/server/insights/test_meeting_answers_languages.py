"""What is told of a meeting in another language than English, and what is left untold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from server.conversation import Conversation, EngineCapabilities
from server.insights import compute_answers
from server.insights.balance import balance
from server.insights.dynamics import dynamics
from server.insights.emotions import emotion_chunks
from server.insights.energy import energy
from server.insights.family import MeetingFacts
from server.insights.flow import flow
from server.insights.interaction import interaction_score
from server.insights.quality import quality
from server.insights.questions import detect_question_method, questions
from server.insights.sentiment import sentiment
from server.insights.text.naming import find_speaker_names
from server.insights.timeline import Timeline, Window, build_timeline
from server.insights.timeline.english_only import absence_reason
from server.insights.topics import topics
from server.insights.transcript import transcript
from tests.server.insights.meetings_in_languages import (
    ENGINE,
    ENGLISH_LINES,
    GERMAN,
    JAPANESE,
    german,
    german_and_english,
    meeting,
    talk,
)
from tests.server.insights.talks import S, talks


def found_in(document: Any, key: str) -> list[Any]:
    """Every value of a key, however deep."""
    if isinstance(document, dict):
        own = [document[key]] if key in document else []
        return own + [value for inner in document.values() for value in found_in(inner, key)]
    return [value for inner in document for value in found_in(inner, key)] if isinstance(document, list) else []


def test_nothing_is_felt_in_a_german_meeting_and_it_says_why() -> None:
    found = {name: answer.document for name, answer in compute_answers(german()).items()}
    assert found["sentiment"]["score"] is None
    assert found["sentiment"]["label"] is None
    assert found["sentiment"]["reason"] == "Sentiment is measured in English only; this meeting is in German (de)."
    assert found["sentiment"]["support"]["reason"] == found["sentiment"]["reason"]
    assert not found["sentiment"]["support"]["sufficient"]
    assert (found["sentiment"]["sentences"], found["sentiment"]["sentences_in_all"]) == (0, 7)
    assert found["emotions"]["percentages"] is None
    assert found["emotions"]["reason"] == "Emotions are measured in English only; this meeting is in German (de)."
    assert [chunk["emotions"] for chunk in found["emotion_chunks"]["chunks"]] == [[]]
    assert found["emotion_chunks"]["reason"] == found["emotions"]["reason"]
    told = "Sentiment and emotions are measured in English only; this meeting is in German (de)."
    for stretch in (found["dynamics"]["dynamics"][0], found["topic_details"]["topics"][0]):
        assert stretch["sentiment"] is None
        assert stretch["reason"] == told
        assert found_in(stretch, "emotions") == [[]]
    assert found["topic_details"]["topics"][0]["emotions_score"] is None
    assert found["quality"]["reason"] == told


def test_the_quality_of_a_german_meeting_is_made_of_what_is_there() -> None:
    found = quality(MeetingFacts(german()))
    scores = {driver["name"]: driver["score"] for driver in found["drivers"]}
    assert "sentiment" not in scores
    mean = sum(scores[name] for name in ("balance", "interaction", "energy")) / 3
    assert found["quality_score"] == pytest.approx(mean, abs=0.011)
    assert found["note"].startswith(
        "The score is the unweighted mean of balance, interaction and energy. Sentiment is measured in English only; "
        "this meeting is in German (de)."
    )


def test_nobody_is_named_by_english_patterns_in_a_german_meeting() -> None:
    said = ((1, "I am Daniel from the office."), (2, "Danke."))
    assert find_speaker_names(german()) == ()
    assert find_speaker_names(talk(meeting("de", *said))) == ()
    assert [n.name for n in find_speaker_names(talk(meeting("en", *said)))] == ["Daniel"]


def test_german_questions_are_told_by_their_marks() -> None:
    found = german()
    assert [q["question"] for q in questions(found)] == [
        "Wie viel Geld haben wir letzten Monat für den neuen Server ausgegeben?",
        "Wer schreibt bis Freitag den Bericht über das Budget?",
    ]
    assert detect_question_method(found).method == "marks"
    assert detect_question_method(found).reason is None
    assert [s["questions"] for s in flow(MeetingFacts(found))["speakers"]] == [1, 1]


def test_bare_german_asks_nothing_that_we_could_tell() -> None:
    bare = tuple((who, text.lower().replace("?", "").replace(".", "").replace(",", "")) for who, text in GERMAN)
    found = talk(meeting("de", *bare))
    assert questions(found) == []
    assert detect_question_method(found).method == "none"
    reason = "Without question marks, questions are detected in English only; this meeting is in German (de)."
    assert detect_question_method(found).reason == compute_answers(found)["questions"].document["reason"] == reason
    assert [s["questions"] for s in flow(MeetingFacts(found))["speakers"]] == [None, None]


def test_key_points_summary_and_topics_are_made_of_german() -> None:
    found = {name: answer.document for name, answer in compute_answers(german()).items()}
    for speaker, points in found["key_points"]["speakers"]:
        assert points
        assert set(points) <= {s.text for s in german().sentences if s.speaker == speaker}
    assert len(found["summaries"]["meeting"]) == 3
    assert not any(text.endswith("?") for text in found["summaries"]["meeting"])
    topic = found["topics"]["topics"][0]
    assert topic["topic"] == "Budget"
    assert "server" in " ".join(topic["keywords"])
    assert not {"wir", "das", "für", "über", "haben"} & {
        word for phrase in topic["keywords"] for word in phrase.split()
    }


def test_japanese_is_written_without_spaces_and_named_by_its_nouns() -> None:
    found = talk(meeting("ja", *JAPANESE))
    assert [s.text for s in found.sentences][:3] == [
        "今日は会議の予算について話します。",
        "来月の予算はいくらですか？",
        "予算はExcelで計算しました。",
    ]
    assert [q["question"] for q in questions(found)] == ["来月の予算はいくらですか？"]
    assert topics(MeetingFacts(found))[0]["topic"] == "予算"
    assert compute_answers(found)["summaries"].document["meeting"]
    # What the recogniser gives are pieces of words.
    assert [s["words_per_minute"] for s in flow(MeetingFacts(found))["speakers"]] == [None, None]
    joined = transcript(replace(found, sentences=tuple(replace(s, speaker=1) for s in found.sentences)))
    assert joined.entries[0].text.startswith("今日は会議の予算について話します。来月の予算は")


def test_chinese_topics_are_what_stands_between_stop_words() -> None:
    lines = ((1, "我们 今天 讨论 的 是 年度预算 。"), (2, "年度预算 没有 问题 ， 服务器 也 在 年度预算 里 。"))
    found = talk(meeting("zh", *lines))
    assert topics(MeetingFacts(found))[0]["topic"] == "年度预算"


def test_thai_has_no_phrases_and_everything_else() -> None:
    found = talk(meeting("th", (1, "วันนี้ เรา พูด เรื่อง งบประมาณ"), (2, "งบประมาณ ของ เรา ไม่ พอ")))
    assert [s.text for s in found.sentences] == ["วันนี้เราพูดเรื่องงบประมาณ", "งบประมาณของเราไม่พอ"]
    assert [(t["topic"], t["keywords"]) for t in topics(MeetingFacts(found))] == [("Conversation", [])]
    assert compute_answers(found)["summaries"].document["meeting"]


def test_a_meeting_of_two_languages_is_felt_where_it_is_english() -> None:
    found = german_and_english()
    line = build_timeline(found)
    felt = sentiment(line)
    assert (felt.score, felt.label, felt.sentences, felt.sentences_in_all) == (80, "Positive", 2, 9)
    assert felt.reason is None
    assert felt.support.note == "Sentiment is measured on 2 of 9 sentences: those in English."
    document = compute_answers(found)["emotions"].document
    assert document["percentages"]["happiness"] == 100
    assert document["support"]["note"] == "Emotions are measured on 2 of 9 sentences: those in English."
    assert quality(MeetingFacts(found))["drivers"][3]["name"] == "sentiment"
    assert "reason" in compute_answers(found)["quality"].document
    assert compute_answers(found)["quality"].document["reason"] is None
    german_part, english_part = dynamics(line, 30)[0], dynamics(line, 30)[-1]
    assert german_part["sentiment"] is None
    assert german_part["reason"] == (
        "Sentiment and emotions are measured in English only; this part of it is in German (de)."
    )
    assert (english_part["sentiment"], english_part["emotions"]) == ("Positive", ["Happiness"])


def test_in_a_minute_only_those_are_listed_of_whom_something_is_read() -> None:
    spoken = meeting("de", *GERMAN)
    english = meeting("en", ENGLISH_LINES[0], start_s=spoken[-1].end_us / S + 1, first=100)
    document = compute_answers(talk(spoken, english))["emotion_chunks"].document
    assert [chunk["emotions"] for chunk in document["chunks"]] == [[[1, "happiness"]]]
    assert document["reason"] == "Emotions are measured in English only; speech in German (de) is left out."


def test_silence_of_a_german_meeting_is_no_neutral_either_and_of_an_english_one_is() -> None:
    quiet_end = Window(200 * S, 250 * S)
    for spoken, told in ((german(), True), (german_and_english(), False)):
        line = build_timeline(replace(spoken, duration_us=300 * S))
        assert (absence_reason(line, quiet_end, "Sentiment is") is not None) == told
        assert dynamics(line, 100)[2]["sentiment"] == (None if told else "Neutral")


def test_who_speaks_without_words_in_an_english_minute_is_not_sure() -> None:
    found = german_and_english()
    wordless = replace(found.segments[-1], segment_id=900, start_us=100 * S, end_us=110 * S, words=())
    line = build_timeline(replace(found, segments=(*found.segments, wordless), duration_us=120 * S))
    assert emotion_chunks(line)[1]["emotions"] == [[2, "not_sure"]]


@pytest.mark.parametrize(
    ("language", "languages", "absent"),
    [
        ("", (), False),
        ("", ("en",), False),
        ("", ("de", "en"), True),
        ("en", ("de", "en"), False),
        ("de", ("en",), True),
    ],
)
def test_an_unknown_language_is_english_only_of_engines_that_know_no_other(
    language: str, languages: tuple[str, ...], absent: bool
) -> None:
    found = talk(meeting(language, *ENGLISH_LINES, *ENGLISH_LINES), engine=EngineCapabilities(languages=languages))
    felt = sentiment(build_timeline(found))
    assert (felt.score is None) == absent
    if absent and not language:
        assert felt.reason == "Sentiment is measured in English only; this meeting is in an unknown language."


def test_languages_are_listed_by_how_much_they_are_spoken() -> None:
    parts = [
        meeting(language, (1, "bla " * words), start_s=100.0 * place, first=100 * place)
        for place, (language, words) in enumerate([("fr", 20), ("de", 40), ("xx", 10), ("", 5)])
    ]
    reasons = [sentiment(build_timeline(talk(*parts[:count]))).reason for count in (2, 3, 4)]
    assert [reason and reason.split("; ")[1] for reason in reasons] == [
        "this meeting is in German (de) and French (fr).",
        "this meeting is in German (de), French (fr) and xx.",
        "this meeting is in German (de), French (fr) and others.",
    ]


def test_a_german_timeline_survives_its_document_and_an_old_one_is_read() -> None:
    line = build_timeline(german_and_english())
    document = json.loads(json.dumps(line.to_document()))
    assert Timeline.from_document(document) == line
    english = build_timeline(talk(meeting("en", *ENGLISH_LINES)))
    old = english.to_document()
    old["sentences"] = [fields[:6] for fields in old["sentences"]]
    assert sentiment(Timeline.from_document(old)) == sentiment(english)


def test_the_language_of_the_meeting_is_in_whatever_is_made_of_its_words() -> None:
    found = compute_answers(replace(german(), language="de", language_confidence=0.98))
    for name in ("transcript", "quality"):
        assert (found[name].document["language"], found[name].document["language_confidence"]) == ("de", 0.98)
    for name in ("key_points", "summaries", "questions"):
        assert found[name].document["reliability"]["language"] == "de"


@given(talks())
def test_what_time_tells_is_the_same_in_any_language_and_nothing_is_felt_in_german(talk: Conversation) -> None:
    def unread(language: str) -> Conversation:
        said = tuple(replace(s, language=language, polarity=None, emotions=None, vector=b"") for s in talk.sentences)
        spoken = tuple(replace(s, language=language) for s in talk.segments)
        return replace(talk, segments=spoken, sentences=said, engine=ENGINE)

    before, after = build_timeline(talk), build_timeline(unread("de"))
    for score in (balance, interaction_score, energy):
        assert score(after) == score(before)
    found = compute_answers(unread("de"))
    if talk.sentences:
        assert {found["sentiment"].document["score"], found["emotions"].document["percentages"]} == {None}
        assert all(detail["sentiment"] is None for detail in found["dynamics"].document["dynamics"])
        assert all(not chunk["emotions"] for chunk in found["emotion_chunks"].document["chunks"])
        assert "sentiment" not in {driver["name"] for driver in found["quality"].document["drivers"]}
    for answer in found.values():
        assert json.loads(json.dumps(answer.document, allow_nan=False)) == answer.document
