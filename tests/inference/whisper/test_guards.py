"""What keeps invented words out, and lets what people say pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.models import RecognisedWord
from inference.whisper.guards import (
    MAX_COMPRESSION,
    DecodedText,
    compression,
    drop_invented,
    is_doubtful,
    loop_start,
    repeated_tail_start,
)
from tests.recordings import SAMPLE

SAID = " ".join(line.split(maxsplit=5)[5] for line in SAMPLE.with_suffix(".stm").read_text().splitlines())
# What a full window may hold, in scripts of three bytes a letter.
HINDI = (
    "नमस्ते सभी को, आज की बैठक में हम पिछले महीने के बजट के बारे में बात करेंगे। पहला सवाल यह है कि हमने कितना पैसा "
    "खर्च किया और क्यों। मुझे लगता है कि नया सर्वर बहुत महंगा था, लेकिन पुराना बहुत छोटा था और हमें साल के अंत से पहले "
    "इसकी जरूरत थी। मैं इससे सहमत नहीं हूँ, हम जनवरी तक इंतजार कर सकते थे। ठीक है, हम अगले हफ्ते फिर से देखेंगे।"
)
GEORGIAN = (
    "გამარჯობა ყველას, დღეს ვისაუბრებთ გასული თვის ბიუჯეტზე. პირველი კითხვა არის რამდენი ფული დავხარჯეთ და რატომ. "
    "ვფიქრობ, რომ ახალი სერვერი ძალიან ძვირი იყო, მაგრამ ძველი ძალიან პატარა იყო და წლის ბოლომდე გვჭირდებოდა."
)
THAI = (
    "สวัสดีทุกคน วันนี้เราจะพูดถึงงบประมาณของเดือนที่แล้ว คำถามแรกคือเราใช้เงินไปเท่าไหร่และทำไม ผมคิดว่าเซิร์ฟเวอร์ใหม่แพงมาก "
    "แต่เครื่องเก่าเล็กเกินไปและเราต้องการมันก่อนสิ้นปี ผมไม่เห็นด้วย เราน่าจะรอจนถึงเดือนมกราคม"
)
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyzäéжक", min_size=1, max_size=9), unique=True, max_size=60)


def writing(text: str, *, sure: float = -0.3, no_speech: float = 0.0) -> DecodedText:
    words = [RecognisedWord(word, place / 4, place / 4 + 0.2, 0.9, "en") for place, word in enumerate(text.split())]
    return DecodedText(words, sure, no_speech, len(words) / 4)


LOOPS = {
    "a sentence": ("It opens a menu. " * 50, 4),
    "after speech": ("We spoke of it. " + "Thank you. " * 12, 6),
    "in the middle": ("well the same thing the same thing the same thing and so on", 4),
    "a word": ("no " * 5, 1),
    "a word, not so often": ("no no no, no", 4),
    "a sentence twice": ("Good morning Daniel. Good morning Daniel. Good morning", 8),
    "marks and cases": ("Yes. yes, YES! yes yes?", 1),
    "nothing": ("", 0),
}


@pytest.mark.parametrize("kind", LOOPS)
def test_what_is_said_again_and_again_is_kept_once(kind: str) -> None:
    text, kept = LOOPS[kind]
    assert loop_start(text.split()) == kept


def test_vowel_signs_make_words_differ() -> None:
    words = "का की के को कु".split()
    assert loop_start(words) == repeated_tail_start(words) == len(words)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Good morning Daniel. Good morning Daniel. Good morning", 3),
        ("Good morning Daniel. Good", 3),
        ("how much money did we how much money", 5),
        ("that is fine with me", 5),
        ("", 0),
    ],
)
def test_a_text_cut_off_does_not_begin_anew(text: str, kept: int) -> None:
    assert repeated_tail_start(text.split()) == kept


@given(WORDS)
def test_a_text_without_repetition_stays_whole(words: list[str]) -> None:
    assert loop_start(words) == repeated_tail_start(words) == len(words)


@given(WORDS.filter(bool), st.integers(3, 9))
def test_a_phrase_without_end_is_kept_once_whatever_it_is(words: list[str], times: int) -> None:
    phrase = words[:12]
    times = max(times, 5) if len(phrase) == 1 else times
    assert loop_start(phrase * times) == len(phrase)


@pytest.mark.parametrize("text", [SAID[:600], HINDI, GEORGIAN, THAI, " ".join(THAI)], ids=str.__len__)
def test_what_people_say_is_no_repetition_in_any_script(text: str) -> None:
    assert compression(text) < MAX_COMPRESSION
    assert drop_invented(writing(text)) == writing(text).words


@pytest.mark.parametrize("text", ["It opens a menu. " * 8, "नमस्ते सभी को। " * 8, "ご視聴ありがとうございました。 " * 8])
def test_a_repetition_is_one_in_any_script(text: str) -> None:
    assert compression(text) > MAX_COMPRESSION
    assert drop_invented(writing(text)) == []
    assert compression("") == 0


def test_what_the_model_doubts_was_not_said() -> None:
    sentence = "we spent most of it for the new server"
    assert is_doubtful(writing(sentence, sure=-1.6))
    assert is_doubtful(writing(sentence, sure=-1.1, no_speech=0.5))
    assert not is_doubtful(writing(sentence, sure=-1.1, no_speech=0.3))
    assert not is_doubtful(writing(sentence, sure=-0.9, no_speech=0.9))
    assert drop_invented(writing(sentence, sure=-1.6)) == []
    assert len(drop_invented(writing(sentence, sure=-1.1))) == 9
