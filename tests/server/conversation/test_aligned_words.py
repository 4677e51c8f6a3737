"""Times and confidences of the words of a corrected sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import AlignedWord, Word, align_words

S = 1_000_000
# A word a second.
SAID = tuple(
    Word(text, index * S, index * S + 800_000, 0.9) for index, text in enumerate("we met in San Jose today".split())
)


def shown(aligned: tuple[AlignedWord, ...]) -> list[tuple[str, float, float, float | None, int]]:
    return [(a.word.text, a.word.start_us / S, a.word.end_us / S, a.word.confidence, a.origin) for a in aligned]


def test_words_that_were_recognised_so_keep_times_and_confidences() -> None:
    aligned = align_words(SAID, "we met at San Jose today", "en", punctuated=False)
    assert shown(aligned) == [
        ("we", 0, 0.8, 0.9, 0),
        ("met", 1, 1.8, 0.9, 1),
        ("at", 2, 2.8, None, 2),
        ("San", 3, 3.8, 0.9, 3),
        ("Jose", 4, 4.8, 0.9, 4),
        ("today", 5, 5.8, 0.9, 5),
    ]


def test_new_words_share_the_time_of_those_they_replace_by_their_lengths() -> None:
    aligned = align_words(SAID, "we met in Sandusky today", "en", punctuated=False)
    assert shown(aligned)[3:] == [("Sandusky", 3, 4.8, None, 3), ("today", 5, 5.8, 0.9, 5)]
    aligned = align_words(SAID, "we met in old Sandusky today", "en", punctuated=False)
    (old, sandusky) = shown(aligned)[3:5]
    assert old[:2] == ("old", 3)
    assert old[2] == sandusky[1]
    assert sandusky[2] == 4.8
    assert (old[2] - old[1]) / (sandusky[2] - sandusky[1]) == pytest.approx(3 / 8, abs=1e-3)


def test_a_word_that_was_missed_gets_the_pause() -> None:
    aligned = align_words(SAID, "we both met in San Jose today", "en", punctuated=False)
    assert shown(aligned)[1] == ("both", 0.8, 1, None, 0)
    before = align_words(SAID, "yes we met in San Jose today", "en", punctuated=False)
    assert shown(before)[0] == ("yes", 0, 0, None, 0)
    after = align_words(SAID, "we met in San Jose today again", "en", punctuated=False)
    assert shown(after)[-1] == ("again", 5.8, 5.8, None, 5)


def test_a_word_too_many_goes() -> None:
    assert [a.word for a in align_words(SAID, "we met in Jose today", "en", punctuated=False)] == [
        *SAID[:3],
        *SAID[4:],
    ]


def test_marks_are_in_words_only_where_the_recogniser_writes_them() -> None:
    text = "We met, in San Jose, today!"
    assert [a.word for a in align_words(SAID, text, "en", punctuated=False)] == list(SAID)
    assert [a.word.text for a in align_words(SAID, text, "en", punctuated=True)] == text.split()
    assert {a.word.confidence for a in align_words(SAID, text, "en", punctuated=True)} == {0.9}
    # A dash is no word, and a placeholder is none of the marks.
    assert [a.word.text for a in align_words(SAID, "we – [NAME]!", "en", punctuated=False)] == ["we", "–", "[NAME]!"]


def test_without_spaces_words_are_characters() -> None:
    said = (Word("明天", 0, 2 * S, 0.8), Word("开会", 2 * S, 4 * S, 0.8))
    aligned = align_words(said, "明天开始 Demo 会", "zh", punctuated=False)
    assert [(a.word.text, a.origin) for a in aligned] == [
        ("明", 0),
        ("天", 0),
        ("开", 1),
        ("始", 1),
        ("Demo", 1),
        ("会", 1),
    ]
    assert shown(aligned)[0] == ("明", 0, 1, 0.8, 0)
    assert [a.word.confidence for a in aligned] == [0.8, 0.8, 0.8, None, None, 0.8]
    assert [a.word.text for a in align_words(said, "打 [PHONE]。", "zh", punctuated=True)] == ["打", "[PHONE]", "。"]


def test_there_is_nothing_to_align_to_without_words() -> None:
    assert align_words((), "text", "en", punctuated=True) == ()


def test_long_texts_that_have_nothing_in_common_are_replaced_as_a_whole() -> None:
    said = tuple(Word(f"a{n}", n, n + 1, 0.9) for n in range(1000))
    aligned = align_words(said, " ".join(f"b{n}" for n in range(1000)), "en", punctuated=True)
    assert len(aligned) == 1000
    assert (aligned[0].word.start_us, aligned[-1].word.end_us) == (0, 1000)


words = st.lists(st.sampled_from(["a", "b", "c.", "明", "天", "…", "[NAME]"]), min_size=1, max_size=12)


@given(words, words, st.sampled_from(["en", "zh", ""]), st.booleans())
def test_words_stay_in_order_and_in_the_time_of_the_sentence(
    old: list[str], new: list[str], language: str, punctuated: bool
) -> None:
    said = [Word(text, index * 10, index * 10 + 7, 0.5) for index, text in enumerate(old)]
    aligned = align_words(said, " ".join(new), language, punctuated=punctuated)
    times = [moment for one in aligned for moment in (one.word.start_us, one.word.end_us)]
    assert times == sorted(times)
    assert all(0 <= moment <= said[-1].end_us for moment in times)
    origins = [one.origin for one in aligned]
    assert origins == sorted(origins)
    assert all(0 <= origin < len(old) for origin in origins)
    if language != "zh" and punctuated:
        assert [one.word.text for one in aligned] == new
