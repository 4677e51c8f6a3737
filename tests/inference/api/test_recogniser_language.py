"""Languages as they are given, and which of the recogniser's hears them."""

from __future__ import annotations

import pytest

from inference.api.recogniser_language import recogniser_language

# As Whisper names them, its own `jw` and `no` among them.
WHISPER = tuple(
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml"
    " cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am"
    " yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su".split()
)


@pytest.mark.parametrize("tag", WHISPER)
def test_a_language_of_the_recogniser_is_itself(tag: str) -> None:
    assert recogniser_language(tag, WHISPER) == tag


@pytest.mark.parametrize(
    ("given", "heard_as"),
    [
        ("de-AT", "de"),
        ("zh-Hant-TW", "zh"),
        ("cmn", "zh"),
        ("yue", "zh"),
        ("sr-Latn", "sr"),
        ("fa-AF", "fa"),
        # What this recogniser calls otherwise.
        ("nb", "no"),
        ("jv", "jw"),
        ("fil", "tl"),
        # A dialect, and a language that its neighbour's recogniser understands.
        ("arz", "ar"),
        ("gsw", "de"),
    ],
)
def test_a_language_is_heard_as_the_closest(given: str, heard_as: str) -> None:
    assert recogniser_language(given, WHISPER) == heard_as


@pytest.mark.parametrize("given", ["tlh", "qu", "ug", "hsb", "ga", "zxx", "qaa", "x-mine", "no such tag", "-"])
def test_a_language_that_is_close_to_none_is_not_heard(given: str) -> None:
    assert recogniser_language(given, WHISPER) is None


def test_a_recogniser_of_one_language_hears_no_other() -> None:
    assert recogniser_language("en-GB", ("en",)) == "en"
    # That its speakers have often learnt English is no help.
    assert recogniser_language("da", ("en",)) is None
    assert recogniser_language("en", ()) is None
