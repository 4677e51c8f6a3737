"""Whisper's tokens: which make a word, in scripts with spaces and without, and what a prompt may hold."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from inference.models import ModelUnfit
from inference.whisper.tokens import MAX_PROMPT_TOKENS, UNSPACED_LANGUAGES, WhisperTokens

SPELLED = {
    "a price": ("en", " It costs $20,000, he said.", ["It", "costs", "$20,000,", "he", "said."]),
    "a price behind": ("de", " Es kostet 20 € pro Monat.", ["Es", "kostet", "20€", "pro", "Monat."]),
    "an inverted mark": ("es", " ¿Qué es? ¡Hola! Sí.", ["¿Qué", "es?", "¡Hola!", "Sí."]),
    "quotes": ("en", ' He said: "Yes." "No."', ["He", "said:", '"Yes."', '"No."']),
    "German quotes": ("de", " Er sagte: „Hallo“.", ["Er", "sagte:", "„Hallo“."]),
    "spaced quotes": ("fr", " Il dit « bonjour » ici", ["Il", "dit", "«bonjour»", "ici"]),
    "brackets": ("en", " and (maybe) left", ["and", "(maybe)", "left"]),
    "a dash alone": ("en", " – so – it - ended --", ["so", "it", "ended"]),
    "a dash within": ("en", " a well—known x-ray", ["a", "well—known", "x-ray"]),
    "a dash before": ("en", " it is -5 degrees -No.", ["it", "is", "-5", "degrees", "-No."]),
    "dots alone": ("en", " well ... yes", ["well...", "yes"]),
    "an apostrophe": ("en", " it's 2.5% there", ["it's", "2.5%", "there"]),
    "a token of a space": ("en", " to the end", ["to", "the", "end"]),
    "an emoji": ("en", " nice 😀 job 👩‍💻 done", ["nice😀", "job👩‍💻", "done"]),
    "Cyrillic": ("ru", " Привет, как дела? «Хорошо».", ["Привет,", "как", "дела?", "«Хорошо»."]),
    "Hindi": ("hi", " नमस्ते दुनिया।", ["नमस्ते", "दुनिया।"]),
    "Arabic": ("ar", " مرحبا، كيف حالك؟", ["مرحبا،", "كيف", "حالك؟"]),
    "Korean": ("ko", " 안녕하세요, 반갑습니다.", ["안녕하세요,", "반갑습니다."]),
}


def written(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.mark.parametrize("kind", SPELLED)
def test_words_are_written_as_people_write_them(tokenizer: Tokenizer, tokens: WhisperTokens, kind: str) -> None:
    language, text, wanted = SPELLED[kind]
    assert [word.text for word in tokens.words(written(tokenizer, text), language)] == wanted


UNSPACED = {
    "ja": (
        "彼は「はい」と言い、Excelの2024年の3.5%です。iPhone 15 Pro",
        ["「はい」", "Excel", "2024", "3.5%", "15", "Pro"],
    ),
    "zh": ("我们用Excel做2024年的AI-based报告，“好”。", ["Excel", "2024", "AI-based", "“好”。"]),
    "th": ("สวัสดีครับ Microsoft 365", ["Microsoft", "365"]),
    "yue": ("𠮷野家喺Wi-Fi度", ["𠮷", "Wi-Fi"]),
}


@pytest.mark.parametrize("language", UNSPACED)
def test_without_spaces_words_are_short_but_those_of_other_scripts_stay_whole(
    tokenizer: Tokenizer, tokens: WhisperTokens, language: str
) -> None:
    text, whole = UNSPACED[language]
    found = [word.text for word in tokens.words(written(tokenizer, text), language)]
    assert "".join(found) == text.replace(" ", ""), "nothing is lost"
    assert set(whole) <= set(found)
    assert max(map(len, found)) <= 9
    assert len(found) > len(whole)


@given(language=st.sampled_from(["en", "de", *sorted(UNSPACED_LANGUAGES)]), text=st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_every_letter_of_a_text_is_in_one_word(
    tokenizer: Tokenizer, tokens: WhisperTokens, language: str, text: str
) -> None:
    ids = [token for token in written(tokenizer, text) if token < tokens.end_of_text]
    words = tokens.words(ids, language)
    letters = [sign for sign in tokens.text(ids) if sign.isalnum()]
    assert [sign for word in words for sign in word.text if sign.isalnum()] == letters
    assert all(0 <= word.first < word.end <= len(ids) for word in words)
    assert all(before.end <= after.first for before, after in pairwise(words))


@given(st.lists(st.integers(0, 50_256), max_size=30), st.sampled_from(["en", "ja"]))
@settings(max_examples=150, deadline=None)
def test_tokens_that_spell_no_text_make_no_trouble(tokens: WhisperTokens, ids: list[int], language: str) -> None:
    for word in tokens.words(ids, language):
        assert any(sign.isalnum() for sign in word.text)
        assert "\ufffd" not in word.text


def test_it_knows_the_languages_of_whisper(tokens: WhisperTokens) -> None:
    assert len(tokens.languages) == 99
    assert {"en", "de", "zh", "ja", "haw"} <= set(tokens.languages)
    assert "transcribe" not in tokens.languages


def test_a_prompt_says_the_language_and_what_may_be_said(tokenizer: Tokenizer, tokens: WhisperTokens) -> None:
    def spelled(ids: list[int]) -> str:
        return "".join(str(tokenizer.id_to_token(number)) for number in ids).replace("Ġ", " ")

    told = "<|startoftranscript|><|de|><|transcribe|>"
    assert spelled(tokens.sequence("de")) == told
    assert spelled(tokens.prompt("de", ())) == f"{told}<|notimestamps|>"
    assert spelled(tokens.prompt("de", (), with_times=True)) == told
    terms = tokens.prompt("de", ["Meetra", "Kubernetes"])
    assert spelled(terms) == f"<|startofprev|> Meetra, Kubernetes.{told}<|notimestamps|>"
    # A sentence before them misleads less, but only in its language.
    sentence = "<|startofprev|> Welcome to the meeting. With us are Meetra."
    assert spelled(tokens.prompt("", ["Meetra"])) == f"{sentence}<|startoftranscript|><|notimestamps|>"
    assert spelled(tokens.prompt("en", ["Meetra"])).startswith(f"{sentence}<|startoftranscript|><|en|>")


def test_no_more_terms_than_there_is_room_for(tokens: WhisperTokens) -> None:
    own = len(tokens.prompt("de", ()))
    prompt = tokens.prompt("de", [f"expression {number}" for number in range(132)])
    # Beside the terms stand what begins them and the full stop.
    assert own + MAX_PROMPT_TOKENS - 8 < len(prompt) <= own + MAX_PROMPT_TOKENS + 2
    text = tokens.text(prompt)
    assert text.startswith(" expression 0, expression 1,")
    assert text.split(",")[-1].strip().startswith("expression "), "a term is left out as a whole"
    assert tokens.prompt("de", ["𒀀" * 100]) == tokens.prompt("de", ()), "one that is too long for all of the room"
    assert len(tokens.prompt("en", [f"expression {number}" for number in range(132)])) <= 448 // 2


@given(
    st.lists(st.sampled_from(["<|endoftext|>", "<|en|>", "<|notimestamps|> x", "a<|startofprev|>b", "<|0.00|>", "Zoë"]))
)
@settings(max_examples=40, deadline=None)
def test_a_term_is_never_a_command(tokens: WhisperTokens, terms: list[str]) -> None:
    prompt = tokens.prompt("de", terms)
    commands = [number for number in prompt if number >= tokens.end_of_text]
    assert [number for number in commands if number != tokens.previous] == tokens.prompt("de", ())
    assert commands.count(tokens.previous) == (1 if terms else 0)


def test_a_tokenizer_of_something_else_is_named() -> None:
    with pytest.raises(ModelUnfit, match=r"no token <\|startoftranscript\|>: it is not a Whisper tokenizer"):
        WhisperTokens(Tokenizer(WordLevel({"hello": 0}, unk_token="hello")))
