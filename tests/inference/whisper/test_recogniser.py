"""Whisper on real speech: what it writes, when, in which language, and what it does not write."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from inference.models import SAMPLE_RATE_HZ, EncodedWindow, RecognisedWord, Samples, WindowTask
from inference.whisper import WhisperRecogniser
from tests.recordings import EVAL, speech

# "Good morning everyone, I am Daniel and I will lead the meeting today. Good morning Daniel."
MORNING = speech(0.6, 6.2)
# "We spent about twenty thousand dollars and most of it was for the new server."
SPENT = speech(12.4, 4.7)
# "What did they say?"
ASKED = speech(44.9, 1.2)


def texts(words: tuple[RecognisedWord, ...]) -> list[str]:
    return [word.text.strip(".,?!").lower() for word in words]


def written(recogniser: WhisperRecogniser, samples: Samples, language: str = "en") -> tuple[RecognisedWord, ...]:
    (encoded,) = recogniser.encode([samples])
    (words,) = recogniser.decode([WindowTask(encoded, language)])
    return words


@pytest.fixture(scope="module")
def morning(recogniser: WhisperRecogniser) -> EncodedWindow:
    (encoded,) = recogniser.encode([MORNING])
    return encoded


def test_words_are_written_when_they_are_said(recogniser: WhisperRecogniser, morning: EncodedWindow) -> None:
    before_s = recogniser.processor_s
    (words,) = recogniser.decode([WindowTask(morning, "en")])
    assert recogniser.processor_s > before_s
    assert texts(words)[:2] == ["good", "morning"]
    assert {"daniel", "lead", "meeting", "today"} <= set(texts(words))
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)
    assert all(0 <= word.start_s <= word.end_s <= len(MORNING) / SAMPLE_RATE_HZ for word in words)
    assert all(word.confidence is not None and 0 < word.confidence < 1 for word in words)
    assert {word.language for word in words} == {"en"}
    # By the truth of the sample meeting "today" ends at 5.0 s of it, and "good" of the answer begins at 5.4 s.
    today = next(word for word in words if word.text.lower().startswith("today"))
    assert 3.5 < today.start_s < today.end_s < 4.8
    assert "." in words[-1].text or "." in today.text, "it punctuates"


def test_the_language_is_told_for_each_window(recogniser: WhisperRecogniser, morning: EncodedWindow) -> None:
    assert set(morning.languages) == set(recogniser.languages)
    assert sum(morning.languages.values()) == pytest.approx(1)
    assert morning.languages["en"] > 0.8


def test_words_depend_on_nothing_but_their_window(recogniser: WhisperRecogniser, morning: EncodedWindow) -> None:
    encoded = [*recogniser.encode([SPENT, ASKED]), morning]
    together = recogniser.decode([WindowTask(window, "en") for window in encoded])
    alone = [recogniser.decode([WindowTask(window, "en")])[0] for window in reversed(encoded)]
    assert alone[::-1] == together


def test_a_guess_says_much_the_same_sooner(recogniser: WhisperRecogniser) -> None:
    spent, asked = recogniser.recognise_provisional([WindowTask(SPENT, ""), WindowTask(ASKED, "")])
    assert (spent.language, asked.language) == ("en", "en")
    assert spent.languages["en"] > 0.8
    assert {"spent", "server"} <= set(texts(spent.words))
    assert texts(asked.words)[:2] == ["what", "did"]
    for found, samples in ((spent, SPENT), (asked, ASKED)):
        assert all(0 <= word.start_s <= word.end_s <= len(samples) / SAMPLE_RATE_HZ + 1e-6 for word in found.words)
        assert all(word.confidence is not None and 0 < word.confidence < 1 for word in found.words)
        assert len({word.confidence for word in found.words}) == len(found.words), "each is as sure as it is itself"
    (given,) = recogniser.recognise_provisional([WindowTask(ASKED, "en")])
    assert (given.language, given.languages) == ("en", {})


def quiet(seconds: float, level: float) -> Samples:
    """Noise without anybody in it."""
    return (np.random.default_rng(3).standard_normal(int(seconds * SAMPLE_RATE_HZ)) * level).astype(np.float32)


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.05])
def test_silence_and_noise_have_no_words(recogniser: WhisperRecogniser, level: float) -> None:
    (encoded,) = recogniser.encode([quiet(5.0, level)])
    terms = ("Meetra", "Daniel", "budget")
    assert recogniser.decode([WindowTask(encoded, "en"), WindowTask(encoded, "en", terms)]) == [(), ()]


def test_silence_is_guessed_to_have_no_words(recogniser: WhisperRecogniser) -> None:
    assert [found.words for found in recogniser.recognise_provisional([WindowTask(quiet(2.0, 1e-4), "en")])] == [()]


def test_a_key_term_is_spelled_as_it_was_given(recogniser: WhisperRecogniser) -> None:
    (encoded,) = recogniser.encode([SPENT])

    def heard(*terms: str) -> str:
        (words,) = recogniser.decode([WindowTask(encoded, "en", terms)])
        return " ".join(word.text for word in words)

    assert "$20,000" in heard()
    assert "twenty thousand" in heard("Twenty Thousand")
    unheard = heard("Kubernetes", "Zagreb")
    assert "Kubernetes" not in unheard
    assert "Zagreb" not in unheard, "what nobody says is not written"


@pytest.mark.parametrize("names", [("Ana", "Ben"), ("Christine", "Marek", "Priya", "Johnson")])
def test_names_that_nobody_says_cost_no_words(recogniser: WhisperRecogniser, names: tuple[str, ...]) -> None:
    for encoded in recogniser.encode([speech(begin, 8.0) for begin in (0, 8, 16, 24, 32, 40)]):
        without, given = recogniser.decode([WindowTask(encoded, "en"), WindowTask(encoded, "en", names)])
        assert len(given) > 0.8 * len(without), texts(given)


def test_a_given_language_is_believed_where_none_could_be_detected(
    recogniser: WhisperRecogniser, morning: EncodedWindow
) -> None:
    unclear = EncodedWindow(replace(morning.encoding, top_probability=0.3), morning.languages)
    detected, given = recogniser.decode([WindowTask(unclear, "en"), WindowTask(unclear, "en", language_given=True)])
    assert detected == (), "a crowd of which no language is likely says nothing"
    assert texts(given)[:2] == ["good", "morning"]


def test_very_short_windows_and_unusual_languages_are_no_trouble(recogniser: WhisperRecogniser) -> None:
    assert written(recogniser, SPENT[:1]) == ()
    words = written(recogniser, ASKED, "haw")
    assert {word.language for word in words} <= {"haw"}
    assert all(0 <= word.start_s <= word.end_s <= len(ASKED) / SAMPLE_RATE_HZ for word in words)


def clip(path: Path) -> Samples:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    return np.asarray(np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]) / 32768, np.float32)


@pytest.mark.skipif(not (EVAL / "lang").is_dir(), reason="no recordings in other languages here (shared/eval/lang)")
@pytest.mark.parametrize("language", ["de", "ja"])
def test_other_languages_are_told_and_written(recogniser: WhisperRecogniser, language: str) -> None:
    rows = [json.loads(line) for line in (EVAL / "lang" / "manifest.jsonl").read_text().splitlines()]
    row = min((row for row in rows if row["language"].startswith(language)), key=lambda row: abs(row["seconds"] - 8))
    (encoded,) = recogniser.encode([clip(EVAL / "lang" / row["file"])])
    assert max(encoded.languages, key=encoded.languages.__getitem__) == language
    (words,) = recogniser.decode([WindowTask(encoded, language)])
    heard = {sign for sign in "".join(word.text for word in words).lower() if sign.isalnum()}
    said = {sign for sign in row["text"].lower() if sign.isalnum()}
    assert len(heard & said) >= 0.6 * len(said)
    assert {word.language for word in words} == {language}
