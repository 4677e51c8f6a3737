"""Phrases of Chinese: the longest strings that come again, between stop words."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from server.insights.text.chinese_phrases import count_chinese_mentions


def phrases(*texts: str) -> list[dict[str, int]]:
    return [dict(mentions) for mentions in count_chinese_mentions(texts)]


def test_what_comes_again_is_a_phrase_and_its_parts_are_none() -> None:
    found = phrases("年度预算是重点", "我们讨论年度预算", "年度预算和花园")
    assert all(mentions.get("年度预算") == 1 for mentions in found)
    assert not any("年度" in mentions or "预算" in mentions for mentions in found)


def test_a_part_that_is_said_more_often_by_itself_is_a_phrase_too() -> None:
    counted = sum((Counter(mentions) for mentions in phrases("年度预算，预算", "年度预算，预算")), Counter())
    assert counted["年度预算"] == 2
    assert counted["预算"] >= 2


def test_where_nothing_comes_again_whole_runs_count() -> None:
    assert phrases("花园，预算") == [{"花园": 1, "预算": 1}]


def test_other_scripts_and_single_characters_are_no_phrases() -> None:
    assert phrases("The plan is 很 good", "", "的了吗") == [{}, {}, {}]


@given(st.lists(st.text(alphabet="预算花园会议的了，。a1", max_size=30), max_size=6))
def test_phrases_are_of_the_sentence_that_has_them(texts: list[str]) -> None:
    for text, mentions in zip(texts, count_chinese_mentions(texts), strict=True):
        assert all(phrase in text and len(phrase) >= 2 and count > 0 for phrase, count in mentions.items())
