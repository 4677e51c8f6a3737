"""Key points and summaries: sentences that stand for the rest, and no two that say the same."""

from __future__ import annotations

from dataclasses import replace

from server.insights.family import MeetingFacts
from server.insights.key_points import central_sentences, key_points, summaries
from tests.server.insights.talks import sentence, two_topics, vector


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
