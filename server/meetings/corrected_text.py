"""The text that somebody typed for a sentence: redacted like its meeting, analysed, aligned to the recognised words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from server.analysis import MAX_SENTENCE_CHARACTERS
from server.conversation import (
    PLACEHOLDER,
    Conversation,
    Interval,
    RedactionKind,
    Reword,
    Sentence,
    align_words,
    ends_sentence,
    find_punctuated_languages,
    find_sentence_words,
    is_question,
)
from server.engine import SessionBroke
from server.errors import ServiceUnavailable
from server.redaction import RedactionRules, redact_sentence

MAX_SENTENCE_TEXT = MAX_SENTENCE_CHARACTERS
"""Characters: what the text models read of a sentence."""
# Silenced before and after what was redacted in a typed text: the times of its words are estimates.
MARGIN_MS = 1500
AnalyseSentence = Callable[[Sentence], Awaitable[Sentence]]
"""Returns the sentence with polarity, emotions and embedding where its language has them. Raises SessionBroke."""


def redact_typed(
    text: str, conversation: Conversation, index: int, kinds: frozenset[RedactionKind], aliases: Collection[str]
) -> str:
    """Return the text as it may be stored.

    Whose names a meeting with redacted names had is not stored: every common given name counts as one.

    Args:
        conversation: the meeting's, with its corrections.
        index: place of the sentence.
        aliases: names of the meeting's speakers.
    """
    if not kinds or not text:
        return text
    rules = RedactionRules.create(kinds, aliases, any_given_name=True)
    own = conversation.sentences[index]
    beside = [
        [s.text for s in sentences if s.text and s.speaker == own.speaker]
        for sentences in (conversation.sentences[:index], conversation.sentences[index + 1 :])
    ]
    before, after = beside[0][-1] if beside[0] else "", beside[1][0] if beside[1] else ""
    return redact_sentence(text, rules, own.language, before, after)


def find_redacted_ms(rewording: Reword) -> list[Interval]:
    """Return when what was redacted in a typed text was said, milliseconds: its audio was not silenced before."""
    return [
        Interval(max(0, word.start_us // 1000 - MARGIN_MS), -(-word.end_us // 1000) + MARGIN_MS)
        for word in (one.word for one in rewording.words)
        if word.confidence is None and PLACEHOLDER.search(word.text)
    ]


async def make_rewording(
    text: str, engine: Conversation, current: Sentence, index: int, analyse: AnalyseSentence | None
) -> Reword:
    """Return the edit that gives a sentence its text.

    Args:
        text: empty: the words are removed, which needs no model.
        engine: the conversation as the engine found it.
        current: the sentence with its corrections.
        index: place of the sentence.
        analyse: None: the text models are away.

    Raises ServiceUnavailable while the text models are away.
    """
    read = replace(current, text=text, asks=False, polarity=None, emotions=None, vector=b"")
    if text:
        asks = is_question(text, current.language, punctuated=ends_sentence(text, current.language))
        read = await _read(replace(read, asks=asks), analyse)

    def align() -> Reword:
        places = find_sentence_words(engine)[index]
        words = [engine.segments[place.segment].words[place.word] for place in places]
        punctuated = current.language in find_punctuated_languages(engine)
        return Reword(
            sentence=index,
            text=text,
            words=align_words(words, text, current.language, punctuated=punctuated),
            asks=read.asks,
            polarity=read.polarity,
            emotions=read.emotions,
            vector=read.vector,
            former_text=current.text,
            start_us=current.start_us,
        )

    return await asyncio.to_thread(align)


async def _read(sentence: Sentence, analyse: AnalyseSentence | None) -> Sentence:
    """Return the sentence as the text models read it. Raises ServiceUnavailable while they are away."""
    if analyse is None:
        raise ServiceUnavailable
    try:
        return await analyse(sentence)
    except SessionBroke as error:
        raise ServiceUnavailable from error
