"""Languages as people and programs state them, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import BadRequest
from server.meetings.stated_language import parse_language
from server.meetings.upload_fields import validate_details

# What is a language of its own, and of which Whisper knows most.
NAMES = {
    "Afrikaans": "af",
    "Arabic": "ar",
    "Bengali": "bn",
    "Burmese": "my",
    "Cantonese": "yue",
    "Chinese": "zh",
    "Farsi": "fa",
    "Greek": "el",
    "Haitian Creole": "ht",
    "Hebrew": "he",
    "Malay": "ms",
    "Mandarin": "cmn",
    "Māori": "mi",
    "Nepali": "ne",
    "Norwegian": "no",
    "Nynorsk": "nn",
    "Occitan": "oc",
    "Persian": "fa",
    "Swahili": "sw",
    "Tagalog": "fil",
}


@pytest.mark.parametrize("text", ["", "  ", "auto", "AUTO", "Auto ", "und", "mul", "und-Latn", "Multiple Languages"])
def test_nothing_stated_is_detected(text: str) -> None:
    assert parse_language(text) == ""


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        # BCP 47, in whatever case and with what programs put between subtags.
        ("en", "en"),
        ("EN-gb", "en-GB"),
        ("en_US", "en-US"),
        ("zh-hant-hk", "zh-Hant-HK"),
        ("de-AT-1996", "de-AT-1996"),
        ("i-klingon", "tlh"),
        # Codes that were replaced.
        ("iw", "he"),
        ("jw", "jv"),
        ("sh", "sr-Latn"),
        # ISO 639-2 and 639-3, terminological and bibliographic.
        ("eng", "en"),
        ("deu", "de"),
        ("ger", "de"),
        ("fra", "fr"),
        ("fre", "fr"),
        ("CHI", "zh"),
        ("nob", "nb"),
        ("gsw", "gsw"),
        # Names.
        ("English", "en"),
        ("english", "en"),
        ("GERMAN", "de"),
        (" Deutsch\r\n", "de"),
        ("Brazilian Portuguese", "pt-BR"),
        ("English (US)", "en-US"),
        ("Norwegian Bokmål", "nb"),
        ("Serbo-Croatian", "sr-Latn"),
        ("N'Ko", "nqo"),
        ("中文", "zh"),
        ("русский", "ru"),
        ("हिन्दी", "hi"),
        *NAMES.items(),
    ],
)
def test_a_language_is_known_by_its_tag_code_or_name(text: str, tag: str) -> None:
    assert parse_language(text) == tag
    # What is stored and answered may be stated again.
    assert parse_language(tag) == tag


@pytest.mark.parametrize(
    "text",
    [
        *(
            "zxx",
            "mis",
            "qaa",
            "qtz-DE",
            "No linguistic content",
            "foo",
            "xyz",
            "e",
            "12",
            "c",
            "none",
            "null",
            "undefined",
            "detect",
            "x-foo",
            "*",
            "-",
            "en-",
            "-en",
        ),
        # Several, and what browsers and shells call a language.
        *("English, German", "English and German", "German German", "en,de", "en/de", "en de"),
        *("en-US,en;q=0.9", "en_US.UTF-8", "C.UTF-8"),
        # What looks like one and is not.
        *("Englishish", "not English", "en\x00", "en\u200b", "\u202een", "ｅｎ", "٣٤", "e" * 65, "en-" * 21),
        *("German\x00", "Ger\u00adman"),
    ],
)
def test_what_names_no_language_is_refused_and_says_what_is_possible(text: str) -> None:
    with pytest.raises(BadRequest) as raised:
        validate_details({"language": text}, None)
    assert raised.value.parameter == "language"
    assert all(example in raised.value.fix for example in ("pt-BR", "deu", "German", "auto"))


@given(st.text(max_size=70))
def test_whatever_is_stated_is_a_tag_or_refused(text: str) -> None:
    try:
        tag = parse_language(text)
    except BadRequest:
        return
    assert tag.isascii()
    assert parse_language(tag) == tag
