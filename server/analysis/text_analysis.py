"""Text analysis: split words into sentences and run the English ones through the engine's text models."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from meetra.inference.v2 import language_pb2

from server.conversation import EMOTIONS, ENGLISH, Conversation, Sentence, split_sentences
from server.engine import InferenceClient, SessionBroke

SENTENCE_BATCH_SIZE = 64
MAX_SENTENCE_CHARACTERS = 4000
_EMOTION_INDEX = {
    language_pb2.EmotionLabel.Value(f"EMOTION_LABEL_{name.upper()}"): i for i, name in enumerate(EMOTIONS)
}


async def analyse_text(
    conversation: Conversation, inference: InferenceClient, report: Callable[[int, int], Awaitable[None]]
) -> Conversation:
    """Return the conversation with sentences, the English ones with polarity, emotions and embedding.

    The text models support English only; sentences in other languages are not analysed.

    Args:
        report: awaited with (sentences done, English sentences in total) after each batch.

    Raises SessionBroke.
    """
    sentences = list(split_sentences(conversation))
    english = [index for index, sentence in enumerate(sentences) if sentence.language == ENGLISH]
    for start in range(0, len(english), SENTENCE_BATCH_SIZE):
        batch = english[start : start + SENTENCE_BATCH_SIZE]
        analysed = await _analyse([sentences[index] for index in batch], inference)
        for index, sentence in zip(batch, analysed, strict=True):
            sentences[index] = sentence
        await report(start + len(batch), len(english))
    return replace(conversation, sentences=tuple(sentences))


async def analyse_sentence(sentence: Sentence, inference: InferenceClient) -> Sentence:
    """Return a sentence, an English one with polarity, emotions and embedding. Raises SessionBroke."""
    if sentence.language != ENGLISH:
        return sentence
    (analysed,) = await _analyse([sentence], inference)
    return analysed


async def _analyse(batch: Sequence[Sentence], inference: InferenceClient) -> list[Sentence]:
    analyses = await inference.analyse_sentences([sentence.text[:MAX_SENTENCE_CHARACTERS] for sentence in batch])
    return [_with_analysis(sentence, analysis) for sentence, analysis in zip(batch, analyses, strict=True)]


def _with_analysis(sentence: Sentence, analysis: language_pb2.SentenceAnalysis) -> Sentence:
    emotions = [0.0] * len(EMOTIONS)
    for emotion in analysis.emotions:
        emotions[_EMOTION_INDEX[emotion.label]] = round(emotion.probability, 4)
    return replace(
        sentence,
        polarity=round(analysis.polarity, 4),
        emotions=tuple(emotions),
        vector=np.asarray(analysis.embedding, "<f2").tobytes(),
    )


class SentenceReader:
    """Analyse the sentences of a meeting that grows; each distinct text is read once while the meeting has it."""

    def __init__(self, inference: InferenceClient) -> None:
        self._inference = inference
        self._read: dict[str, Sentence] = {}
        """By text: a sentence with its analysis."""

    async def read(self, sentences: Sequence[Sentence], patience_s: float) -> tuple[Sentence, ...]:
        """Return the sentences, the English ones as ``analyse_text`` does, as far as they are read.

        Those that could not be read in time, or because the engine is away, are returned without an analysis; the next
        call reads on.

        Args:
            patience_s: for how long to read what is new, seconds.
        """
        english = {sentence.text: sentence for sentence in sentences if sentence.language == ENGLISH}
        self._read = {text: read for text, read in self._read.items() if text in english}
        new = [sentence for text, sentence in english.items() if text not in self._read]
        with suppress(TimeoutError, SessionBroke):
            async with asyncio.timeout(patience_s):
                for start in range(0, len(new), SENTENCE_BATCH_SIZE):
                    analysed = await _analyse(new[start : start + SENTENCE_BATCH_SIZE], self._inference)
                    self._read.update((sentence.text, sentence) for sentence in analysed)
        # A long meeting has thousands: off the event loop.
        return await asyncio.to_thread(lambda: tuple(map(self._as_read, sentences)))

    def _as_read(self, sentence: Sentence) -> Sentence:
        read = self._read.get(sentence.text) if sentence.language == ENGLISH else None
        if read is None:
            return sentence
        return replace(sentence, polarity=read.polarity, emotions=read.emotions, vector=read.vector)
