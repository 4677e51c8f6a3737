"""Topics: where they change, and what they are called."""

from __future__ import annotations

from server.insights.family import MeetingFacts
from server.insights.timeline import build_timeline
from server.insights.topics import period_topics, topic_borders, topics
from tests.server.conversation.spoken import S, conversation
from tests.server.insights.talks import two_topics


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
