"""Sentences of other languages than English: where they end, how words are joined, which ask."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Conversation, EngineCapabilities, Segment, Word, split_sentences
from server.conversation.languages import resolve_language
from server.conversation.question_form import is_question
from server.conversation.sentences import find_punctuated_languages
from tests.server.conversation.spoken import ENGINE, S, talk

MANY = EngineCapabilities(languages=("de", "en", "ja"))


def texts(language: str, text: str, **timing: float) -> list[str]:
    said = talk((1, text), **timing)
    segments = tuple(replace(s, language=language) for s in said.segments)
    return [s.text for s in split_sentences(replace(said, segments=segments, engine=MANY))]


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("de", "Das ist gut. Ist es gut?", ["Das ist gut.", "Ist es gut?"]),
        ("de", "Herr Dr. Wolf kommt z.B. am 3. Mai.", ["Herr Dr. Wolf kommt z.B. am 3. Mai."]),
        ("de", "Es waren 12. | Dann kam er.", ["Es waren 12.", "Dann kam er."]),
        ("es", "No. ¿Qué hora es? Las dos.", ["No.", "¿Qué hora es?", "Las dos."]),
        ("ja", "今日 は 晴れ です 。 本当 ？", ["今日は晴れです。", "本当？"]),
        ("zh", "你 好 ！ 我 们 开 始 。", ["你好！", "我们开始。"]),
        ("hi", "नमस्ते दोस्तों । आप कैसे हैं?", ["नमस्ते दोस्तों ।", "आप कैसे हैं?"]),
        ("ur", "سلام ۔ کیا حال ہے؟", ["سلام ۔", "کیا حال ہے؟"]),
        ("ar", "صباح الخير. كيف الحال؟", ["صباح الخير.", "كيف الحال؟"]),
        ("el", "Τι κάνεις; Καλά.", ["Τι κάνεις;", "Καλά."]),
        ("fr", "On commence ? Oui, allons-y !", ["On commence ?", "Oui, allons-y !"]),
    ],
)
def test_sentences_end_at_the_marks_of_their_language(language: str, text: str, sentences: list[str]) -> None:
    assert texts(language, text) == sentences


def test_bare_words_of_other_languages_are_cut_at_pauses_and_left_as_they_are() -> None:
    # In English a pause of 0.2 s before "so" ends a sentence, and one after "the" ends none.
    assert texts("de", "wir haben das so gemacht | montag", pause_s=0.3) == ["wir haben das so gemacht", "montag"]
    assert texts("nl", "dat was in | the end of it") == ["dat was in", "the end of it"]


def test_long_speech_without_marks_is_cut_somewhere() -> None:
    bare = texts("de", "wort " * 130)
    assert sum(len(text.split()) for text in bare) == 130
    assert max(len(text.split()) for text in bare) <= 40
    marked = texts("zh", "好 。 " + "好 " * 300 + "。")
    assert len(marked) > 2
    assert max(map(len, marked)) <= 120
    assert sum(map(len, marked)) == 303


def test_a_change_of_language_ends_a_sentence() -> None:
    said = talk((1, "Das heißt dann"), (1, "customer success story."), (1, "Nicht wahr?"))
    spoken = tuple(
        replace(segment, language=language) for segment, language in zip(said.segments, ("de", "en", "de"), strict=True)
    )
    found = split_sentences(replace(said, segments=spoken, engine=MANY))
    assert [(s.language, s.text) for s in found] == [
        ("de", "Das heißt dann"),
        ("en", "customer success story."),
        ("de", "Nicht wahr?"),
    ]


def test_whether_words_carry_marks_is_seen_for_each_language() -> None:
    said = talk((1, "Guten Tag."), (1, "วันนี้ เรา พูด"))
    spoken = tuple(
        replace(segment, language=language) for segment, language in zip(said.segments, ("de", "th"), strict=True)
    )
    assert find_punctuated_languages(replace(said, segments=spoken, engine=MANY)) == {"de"}


def test_the_language_of_an_english_engine_is_english_though_it_does_not_say_so() -> None:
    assert [s.language for s in split_sentences(talk((1, "good morning")))] == ["en"]
    assert resolve_language("", ENGINE) == "en"
    assert resolve_language("", MANY) == ""
    assert resolve_language("fr", ENGINE) == "fr"


@pytest.mark.parametrize(
    ("language", "text", "asks"),
    [
        ("ja", "本当ですか？", True),
        ("ja", "「本当？」", True),
        ("ar", "كيف الحال؟", True),
        ("el", "Τι κάνεις;", True),
        ("de", "Nein; danke;", False),
        ("hy", "Ինչպե՞ս եք։", True),
        ("am", "እንዴት ነህ፧", True),
        # English syntax asks in English alone.
        ("de", "do you know", False),
        ("en", "do you know", True),
    ],
)
def test_marks_ask_in_every_language_and_syntax_in_english(language: str, text: str, asks: bool) -> None:
    assert is_question(text, language) == asks


TOKENS = st.sampled_from(
    ["wort", "Dr.", "3.", "ja?", "会", "議", "。", "は？", "GPT", "4", "nein!", "ครับ", "है।", "ok."]
)
SPOKEN = st.lists(
    st.tuples(st.integers(1, 2), st.sampled_from(["de", "ja", "th", "hi", "", "en"]), st.lists(TOKENS, min_size=1)),
    max_size=8,
)


@given(SPOKEN)
def test_every_word_is_in_one_sentence_of_its_speaker_and_language(
    spoken: list[tuple[int, str, list[str]]],
) -> None:
    segments = tuple(
        Segment(
            number,
            speaker,
            number * 60 * S,
            number * 60 * S + len(tokens) * S,
            tuple(Word(t, (number * 60 + i) * S, (number * 60 + i) * S + S // 2, 0.9) for i, t in enumerate(tokens)),
            language=language,
        )
        for number, (speaker, language, tokens) in enumerate(spoken)
    )
    found = split_sentences(Conversation(1000 * S, (1, 2), segments, MANY))

    def letters(texts: list[str]) -> str:
        return "".join(c for text in texts for c in text.lower() if c.isalnum())

    for speaker in (1, 2):
        for language in ("de", "ja", "th", "hi", "", "en"):
            said = [t for s, tag, tokens in spoken if (s, tag) == (speaker, language) for t in tokens]
            told = [s.text for s in found if (s.speaker, s.language) == (speaker, language)]
            assert letters(told) == letters(said)
