"""Words of events: final by the same milliseconds as the watermark."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb

from server.conversation import Word
from server.live.word_messages import FINAL, PROVISIONAL, become_final, final_words_through_us, word_messages

WORDS = (Word("good", 0, 400_400, 0.5), Word("morning", 400_400, 900_600, None))


def test_a_word_is_final_once_its_published_end_is() -> None:
    good, morning = word_messages(WORDS, 400_000)
    assert good == pb.LiveWord(text="good", end_ms=400, confidence=0.5, stability=FINAL)
    assert morning == pb.LiveWord(text="morning", start_ms=400, end_ms=901, stability=PROVISIONAL)
    assert [word.stability for word in word_messages(WORDS, 900_999)] == [FINAL, PROVISIONAL]
    assert [word.stability for word in word_messages(WORDS, 901_000)] == [FINAL, FINAL]


def test_a_turn_is_told_again_when_one_of_its_words_becomes_final() -> None:
    assert become_final(WORDS, 0, 400_000)
    assert not become_final(WORDS, 400_000, 900_000)
    assert become_final(WORDS, 400_000, 901_000)
    assert not become_final(WORDS, 901_000, 2_000_000)
    assert not become_final(WORDS, 90_000_000, 99_000_000)
    assert not become_final((), 0, 99_000_000)


def test_what_was_final_of_a_turn_is_known_by_its_words() -> None:
    assert final_words_through_us(pb.LiveTurn(words=word_messages(WORDS, 400_000))) == 400_000
    assert final_words_through_us(pb.LiveTurn(words=word_messages(WORDS, 0))) == 0
