"""Text analysis: split words into sentences and run the English ones through the engine's text models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
from meetra.inference.v2 import language_pb2

from server.conversation import EMOTIONS, ENGLISH, Conversation, Sentence, split_sentences
from server.engine import InferenceClient

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
        analyses = await inference.analyse_sentences(
            [sentences[index].text[:MAX_SENTENCE_CHARACTERS] for index in batch]
        )
        for index, analysis in zip(batch, analyses, strict=True):
            sentences[index] = _with_analysis(sentences[index], analysis)
        await report(start + len(batch), len(english))
    return replace(conversation, sentences=tuple(sentences))


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
