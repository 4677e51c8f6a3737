"""Key phrases by language."""

from __future__ import annotations

from collections import Counter

import pytest

from server.insights.text.key_phrases import extract_key_phrases, select_phrases
from server.insights.text.stop_words import STOP_WORDS, stop_words


def phrases(language: str, *texts: str) -> list[str]:
    found, _ = extract_key_phrases(texts, [language] * len(texts))
    return [phrase.text for phrase in found]


@pytest.mark.parametrize(
    ("language", "texts", "best", "never"),
    [
        ("de", ("Wir prüfen das neue Budget.", "Und wann ist das neue Budget fertig?"), "budget", "wann"),
        ("fr", ("Le budget annuel est trop petit.", "Mais le budget annuel suffit."), "budget annuel", "mais"),
        ("ru", ("Нам нужен годовой бюджет.", "А годовой бюджет готов."), "годовой бюджет", "нам"),
        ("ko", ("우리 예산 부족 합니다.", "그래서 예산 부족 입니다."), "예산 부족", "그래서"),
        ("ja", ("来月の予算は足りません。", "データ分析と予算をどうしますか。"), "予算", "来月の予算"),
        ("zh", ("我们讨论年度预算的问题。", "但是年度预算不够。"), "年度预算", "我们"),
        ("yue", ("我哋傾緊年度預算嘅問題。", "年度預算唔夠。"), "年度預算", "我哋"),
        ("hi", ("हमारा वार्षिक बजट कम है।", "वार्षिक बजट और बढ़ेगा।"), "वार्षिक बजट", "और"),
        ("ar", ("نناقش الميزانية السنوية الآن.", "لكن الميزانية السنوية صغيرة."), "الميزانية السنوية", "لكن"),
    ],
)
def test_phrases_are_content_words_of_their_language(
    language: str, texts: tuple[str, ...], best: str, never: str
) -> None:
    found = phrases(language, *texts)
    assert found[0] == best
    assert never not in found


def test_without_a_list_of_stop_words_what_most_sentences_hold_is_none() -> None:
    # Macedonian has no list.
    assert stop_words("mk") == frozenset()
    texts = [f"Тоа што што е буџетот {'голем' if n % 2 else 'мал'}." for n in range(12)]
    found = phrases("mk", *texts, "Годишниот извештај.", "Годишниот извештај.")
    assert "годишниот извештај" in found
    assert "што" not in found


def test_given_names_are_left_out_where_they_are_english() -> None:
    assert phrases("en", "Daniel has a budget.", "Daniel and the budget.") == ["budget"]
    assert "daniel" in phrases("de", "Daniel hat Geld.", "Daniel und das Geld.")


def test_chinese_phrases_are_the_longest_strings_that_come_up_again_and_latin_words() -> None:
    texts = [
        "服务器的费用太高了。",
        "需要减少API服务器的费用。",
        "会议之后联系供应商。",
        "供应商取消了会议室。",
        "API很慢。",
    ]
    assert phrases("zh", *texts) == ["api", "会议", "供应商", "服务器", "费用"]
    assert phrases("zh", "年度预算的问题。") == ["年度预算", "问题"]


def test_each_language_has_its_own_stop_words() -> None:
    assert stop_words("en") is STOP_WORDS
    assert "und" in stop_words("de")
    assert stop_words("nn") == stop_words("nb") == stop_words("no") != frozenset()
    assert stop_words("") == stop_words("tlh") == frozenset()


def test_languages_of_one_meeting_are_told_by_their_own_words() -> None:
    found, held = extract_key_phrases(
        ["The annual budget.", "Das annual budget.", "Wer war die Frau?"], ["en", "de", "de"]
    )
    assert [phrase.text for phrase in found] == ["annual budget"]
    assert held == [[0], [0], []]


def test_key_phrases_prefer_what_is_said_here() -> None:
    phrases, held = extract_key_phrases(
        ["The rubber case is soft.", "A rubber case, yes.", "The battery costs money, battery."]
    )
    assert phrases[0].text == "rubber case"
    mentions = Counter(index for indices in held[2:] for index in indices)
    assert select_phrases(phrases, mentions, 5) == ["battery"]


def test_placeholders_of_what_was_redacted_are_no_phrases() -> None:
    assert phrases("en", "Send the [EMAIL] budget.", "My [EMAIL] budget is [CARD].") == ["budget"]
