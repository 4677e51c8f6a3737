"""Words of texts in many scripts, as they are indexed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.search.tokens import MAX_TOKEN, index_text, tokens, without_case


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("The Budget, isn't it?", "the budget isn t it", id="english"),
        pytest.param("3.5 million, 12,50 Euro in 2026.", "3.5 million 12,50 euro in 2026", id="numbers"),
        pytest.param("Straße ÜBER naïve", "strasse über naïve", id="accents"),
        pytest.param("هل الميزانية، جاهزة؟", "هل الميزانية جاهزة", id="arabic"),
        pytest.param("हिन्दी में बात", "हिन्दी में बात", id="hindi"),
        pytest.param("天気予報。", "天気 気予 予報 報", id="japanese"),
        pytest.param("猫", "猫", id="one letter"),
        pytest.param("明天用Excel开会", "明天 天用 用 excel 开会 会", id="mixed"),
        pytest.param("예산을 봅시다", "예산 산을 을 봅시 시다 다", id="korean"),
        pytest.param("ＡＢＣ ﬁx", "abc fix", id="variants of width"),
        pytest.param("Call [PHONE] or [NAME] now", "call or now", id="what was redacted"),
        pytest.param("🙂 — …", "", id="no word"),
    ],
)
def test_words_are_taken_out_of_a_text(text: str, words: str) -> None:
    assert index_text(text) == words


def test_a_word_without_end_is_cut() -> None:
    assert index_text("a" * 5000) == "a" * MAX_TOKEN


@given(st.text())
def test_any_text_has_words_without_signs(text: str) -> None:
    assert all(token.text and "'" not in token.text and " " not in token.text for token in tokens(text))


def test_names_are_compared_without_case_and_width() -> None:
    assert without_case("ＤＡＮＩＥＬ Groß") == "daniel gross"
