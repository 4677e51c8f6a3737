"""Words of the pieces that a recogniser says."""

from __future__ import annotations

import numpy as np
import pytest

from inference.models import RecognisedWord
from inference.onnx.speech.recognised_words import tokens_to_words, words_by_letters


def test_word_pieces_become_words() -> None:
    words = tokens_to_words(
        [" good", " mor", "ning", ",", " all", " ", "."],
        [0.1, 0.5, 0.6, 0.9, 2.0, 2.1, 2.2],
        [-0.1, -0.2, -0.7, 0, 0, 0, 0],
        3.0,
    )
    assert [(w.text, w.start_s, w.end_s) for w in words] == [
        ("good", 0.1, 0.5),
        ("morning,", 0.5, pytest.approx(1.3)),
        ("all.", 2.0, pytest.approx(2.6)),
    ]
    assert words[1].confidence == pytest.approx(np.exp(-0.7))
    letters = tokens_to_words([" ", "h", "i", " ", "y", "o", "u"], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], None, 0.8)
    assert [(w.text, w.start_s, w.confidence) for w in letters] == [("hi", 0.1, None), ("you", 0.4, None)]
    assert tokens_to_words([], [], [], 1.0) == ()
    assert words_by_letters("", 1.0) == ()
    assert words_by_letters("ab", 2.0) == (RecognisedWord("ab", 0.0, 2.0, None),)
