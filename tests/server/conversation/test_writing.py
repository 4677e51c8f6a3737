"""How languages write words, and how many words a text has."""

from __future__ import annotations

import pytest

from server.conversation.writing import count_words, join_sentences, join_words


@pytest.mark.parametrize(
    ("language", "words", "text"),
    [
        ("ja", ["GPT", "4", "と", "Excel", "を", "使う"], "GPT 4とExcelを使う"),
        ("zh", ["2024", "年", "的", "Open", "AI"], "2024年的Open AI"),
        ("th", ["ใช้", "Excel", "ไม่", "ได้"], "ใช้Excelไม่ได้"),
        ("ko", ["오늘", "회의"], "오늘 회의"),
        ("de", ["Guten", "Tag"], "Guten Tag"),
        ("zh", [], ""),
    ],
)
def test_words_are_joined_as_their_language_writes_them(language: str, words: list[str], text: str) -> None:
    assert join_words(words, language) == text


def test_sentences_are_joined_with_spaces_but_after_full_width_marks() -> None:
    assert join_sentences(["Good.", "你好。", "再见！", "Bye.", "ครับ", "ค่ะ"]) == "Good. 你好。再见！Bye. ครับ ค่ะ"
    assert join_sentences([]) == ""


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("en", "we don't know", 3),
        ("", "a b", 2),
        ("zh", "我们今天开会。", 4),
        ("ja", "会議です。", 2),
        ("th", "", 0),
        ("ja", "。", 0),
    ],
)
def test_words_are_counted_or_guessed_from_letters(language: str, text: str, count: int) -> None:
    assert count_words(text, language) == count


def test_a_placeholder_is_one_word_in_every_language() -> None:
    assert count_words("call [PHONE] now", "en") == 3
    assert count_words("我的电话是[PHONE]。", "zh") == count_words("我的电话是。", "zh") + 1
    assert count_words("[EMAIL]", "ja") == 1
