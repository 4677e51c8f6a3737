"""Typed text of sentences: redaction, analysis, words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.conversation import Conversation, RedactionKind, Sentence, split_sentences
from server.engine import SessionBroke
from server.errors import ServiceUnavailable
from server.meetings.corrected_text import make_rewording, redact_typed
from tests.server.conversation.spoken import talk

EVERYTHING = frozenset(RedactionKind)


def with_sentences(said: Conversation) -> Conversation:
    return replace(said, sentences=split_sentences(said))


SAID = with_sentences(talk((1, "My number is five."), (2, "Which one?"), (1, "The first."), (2, "Thanks.")))


def test_a_text_is_redacted_only_as_its_meeting_is() -> None:
    typed = "Ask Daniel or Wendeline at 212 555 0173."
    assert redact_typed(typed, SAID, 2, frozenset(), ["Wendeline"]) == typed
    assert redact_typed(typed, SAID, 2, frozenset({RedactionKind.PHONE}), []) == "Ask Daniel or Wendeline at [PHONE]."
    assert redact_typed(typed, SAID, 2, EVERYTHING, ["Wendeline"]) == "Ask [NAME] or [NAME] at [PHONE]."


def test_a_number_is_found_with_what_the_same_speaker_says_before_and_after() -> None:
    said = with_sentences(talk((1, "Call 212 555."), (2, "Yes."), (1, "Nothing."), (2, "Go on."), (1, "Fine.")))
    assert redact_typed("0173 please", said, 2, frozenset({RedactionKind.PHONE}), []) == "[PHONE] please"
    # Of somebody else's sentence a number cannot be the rest.
    assert redact_typed("0173 please", said, 3, frozenset({RedactionKind.PHONE}), []) == "0173 please"


async def read(sentence: Sentence) -> Sentence:
    """Stands for the text models: what they say of a sentence is theirs to test."""
    return replace(sentence, polarity=len(sentence.text) / 100, emotions=(0.0,) * 6, vector=b"v")


async def test_an_edit_has_the_words_and_the_analysis_of_its_text() -> None:
    current = replace(SAID.sentences[0], text="My number is nine.", polarity=-1.0, vector=b"old")
    edit = await make_rewording("Is my number five?", SAID, current, 0, read)
    assert (edit.sentence, edit.text, edit.asks, edit.former_text) == (0, "Is my number five?", True, current.text)
    assert (edit.polarity, edit.vector) == (len("Is my number five?") / 100, b"v")
    # Aligned to what was recognised, not to the correction before.
    assert [(one.word.text, one.word.confidence, one.origin) for one in edit.words] == [
        ("Is", None, 0),
        ("my", 0.9, 0),
        ("number", 0.9, 1),
        ("five?", 0.9, 3),
    ]


async def test_without_text_models_nothing_is_corrected() -> None:
    async def away(_: Sentence) -> Sentence:
        raise SessionBroke("UNAVAILABLE")

    with pytest.raises(ServiceUnavailable):
        await make_rewording("Text.", SAID, SAID.sentences[0], 0, away)
    with pytest.raises(ServiceUnavailable):
        await make_rewording("Text.", SAID, SAID.sentences[0], 0, None)
    # There is nothing to read of words that are removed.
    removed = await make_rewording("", SAID, replace(SAID.sentences[1], polarity=0.5, vector=b"old"), 1, away)
    assert (removed.text, removed.words, removed.asks) == ("", (), False)
    assert (removed.polarity, removed.emotions, removed.vector, removed.former_text) == (None, None, b"", "Which one?")
    assert redact_typed("", SAID, 1, EVERYTHING, []) == ""
