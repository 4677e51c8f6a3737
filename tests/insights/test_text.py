"""Text: topics, key points, summaries, questions, names, transcript."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from server.conversation import Conversation, Segment, Word, split_sentences
from server.insights.family import MeetingFacts
from server.insights.key_points import central_sentences, key_points, summaries
from server.insights.questions import questions
from server.insights.text.key_phrases import extract_key_phrases, select_phrases
from server.insights.text.naming import find_speaker_names
from server.insights.timeline import build_timeline
from server.insights.topics import period_topics, topic_borders, topics
from server.insights.transcript import transcript
from tests.conversation.test_conversation import ENGINE, S, conversation
from tests.insights.talks import sentence, vector


def two_topics() -> Conversation:
    """Ten minutes: five of a budget, five of a garden."""
    said = []
    for i in range(120):
        start = 5.0 * i
        about, word = (1, "annual budget") if i < 60 else (2, "flower garden")
        text = f"We talk about the {word} here ({i})."
        said.append(sentence(1 + i % 2, start, start + 4, text, meaning=vector(1000 + i, like=about)))
    parts = [(1 + i % 2, 5.0 * i, 5.0 * i + 4) for i in range(120)]
    return replace(conversation(*parts, duration_s=600), sentences=tuple(said))


def test_topics_change_where_the_meaning_does_and_are_named_by_what_is_said() -> None:
    talk = two_topics()
    (border,) = topic_borders(talk.sentences, talk.duration_us)
    assert border == 300 * S
    found = topics(MeetingFacts(talk))
    assert [(t["topic"], t["start"], t["end"]) for t in found] == [
        ("Annual budget", 0, 300_000),
        ("Flower garden", 300_000, 600_000),
    ]


def test_periods_of_topics_are_named_each_by_its_own() -> None:
    found = period_topics(build_timeline(two_topics()), 200)
    assert [t["topic"] for t in found] == ["Annual budget", "Annual budget", "Flower garden"]
    assert found[2]["keywords"] == ["flower garden"]


def test_silence_and_talk_without_words_have_a_name_too() -> None:
    assert topics(MeetingFacts(conversation()))[0]["topic"] == "Silence"
    wordless = conversation((1, 0, 60))
    assert topics(MeetingFacts(wordless))[0]["topic"] == "Conversation"


def test_key_phrases_prefer_what_is_said_here() -> None:
    phrases, held = extract_key_phrases(
        ["The rubber case is soft.", "A rubber case, yes.", "The battery costs money, battery."]
    )
    assert phrases[0].text == "rubber case"
    mentions = Counter(index for indices in held[2:] for index in indices)
    assert select_phrases(phrases, mentions, 5) == ["battery"]


def test_key_points_are_central_and_do_not_repeat_themselves() -> None:
    same = [
        sentence(1, i, i + 1, f"The battery has to last for two years ({i}).", meaning=vector(i, like=7))
        for i in range(6)
    ]
    copy = sentence(1, 7, 8, "The battery has to last for two years (copy).", meaning=same[0].vector)
    aside = sentence(1, 9, 10, "My cousin likes to eat a banana in the rain.", meaning=vector(99))
    chosen = central_sentences([*same, copy, aside], 2)
    assert len(chosen) == 2
    assert aside not in central_sentences([*same, copy, aside], 1)
    assert not {same[0], copy} <= set(central_sentences([*same, copy, aside], 8))


def test_every_speaker_has_key_points_and_a_summary_even_one_without_words() -> None:
    talk = replace(two_topics(), speakers=(1, 2, 3))
    assert [speaker for speaker, _ in key_points(MeetingFacts(talk))] == [1, 2, 3]
    assert [len(points) for _, points in key_points(MeetingFacts(talk))] == [5, 5, 0]
    found = summaries(MeetingFacts(talk))
    assert found["method"] == "extractive"
    assert 3 <= len(found["meeting"]) <= 8
    said = [s.text for s in talk.sentences]
    assert sorted(found["meeting"], key=said.index) == found["meeting"]


def test_questions_are_those_that_ask_more_than_a_word() -> None:
    talk = replace(
        conversation((1, 0, 9)),
        sentences=(
            sentence(1, 1, 2, "Who pays for it?", asks=True),
            sentence(2, 3.9, 5, "I do."),
            sentence(2, 5, 6, "Right?", asks=True),
        ),
    )
    assert questions(talk) == [{"speaker": 1, "question": "Who pays for it?", "start_ms": 1000}]


def named(*said: tuple[int, str]) -> dict[int, str]:
    spoken = tuple(sentence(who, 3 * i, 3 * i + 2, text) for i, (who, text) in enumerate(said))
    return {n.speaker: n.name for n in find_speaker_names(replace(conversation(), sentences=spoken))}


@pytest.mark.parametrize(
    "text",
    [
        "I'm Daniel.",
        "i am daniel and i lead this",
        "My name is Daniel.",
        "This is Daniel speaking.",
        "Hi, Daniel here.",
    ],
)
def test_who_introduces_themselves_is_named(text: str) -> None:
    assert named((1, text), (2, "Good morning.")) == {1: "Daniel"}


def test_who_answers_to_a_name_has_it() -> None:
    said = [
        (1, "Laura, what do you think?"),
        (2, "I think it works."),
        (1, "Thanks, Laura."),
        (2, "You're welcome."),
        (1, "Next item."),
    ]
    assert named(*said) == {2: "Laura"}


@pytest.mark.parametrize(
    "said",
    [
        [(1, "I'm tired."), (2, "Me too.")],
        [(1, "I will do it."), (2, "Good.")],
        [(1, "I am grace under pressure."), (2, "Sure.")],
        [(1, "I told Daniel yesterday."), (2, "Okay.")],
        # Two people with the same claim: nobody gets it.
        [(1, "I'm Daniel."), (2, "I'm Daniel.")],
        # One hint alone is too little.
        [(1, "Thanks, Laura."), (2, "Sure.")],
    ],
)
def test_what_is_not_clear_names_nobody(said: list[tuple[int, str]]) -> None:
    assert named(*said) == {}


def test_ambiguous_names_count_after_my_name_is() -> None:
    assert named((1, "My name is Grace."), (2, "Hello.")) == {1: "Grace"}


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
