"""Text analysis: split words into sentences and run the English ones through the engine's text models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
from meetra.inference.v2 import language_pb2

from server.conversation import EMOTIONS, ENGLISH, Conversation, Sentence, sentences_of
from server.engine import InferenceClient

SENTENCES_AT_ONCE = 64
MAX_CHARACTERS = 4000
_PLACE = {language_pb2.EmotionLabel.Value(f"EMOTION_LABEL_{name.upper()}"): i for i, name in enumerate(EMOTIONS)}


async def read(
    conversation: Conversation, inference: InferenceClient, report: Callable[[int, int], Awaitable[None]]
) -> Conversation:
    """Return the conversation with sentences, the English ones with polarity, emotions and embedding.

    The text models support English only; sentences in other languages are not analysed.

    Args:
        report: awaited with (sentences done, English sentences in total) after each batch.

    Raises SessionBroke.
    """
    spoken = list(sentences_of(conversation))
    english = [place for place, sentence in enumerate(spoken) if sentence.language == ENGLISH]
    for start in range(0, len(english), SENTENCES_AT_ONCE):
        batch = english[start : start + SENTENCES_AT_ONCE]
        analyses = await inference.analyse_sentences([spoken[place].text[:MAX_CHARACTERS] for place in batch])
        for place, analysis in zip(batch, analyses, strict=True):
            spoken[place] = _with(spoken[place], analysis)
        await report(start + len(batch), len(english))
    return replace(conversation, sentences=tuple(spoken))


def _with(sentence: Sentence, analysis: language_pb2.SentenceAnalysis) -> Sentence:
    emotions = [0.0] * len(EMOTIONS)
    for emotion in analysis.emotions:
        emotions[_PLACE[emotion.label]] = round(emotion.probability, 4)
    return replace(
        sentence,
        polarity=round(analysis.polarity, 4),
        emotions=tuple(emotions),
        vector=np.asarray(analysis.embedding, "<f2").tobytes(),
    )
