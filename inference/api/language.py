"""The gRPC service that analyses sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from grpc import aio
from meetra.inference.v2 import language_pb2, language_pb2_grpc

from inference.api.tasks import model_messages
from inference.models import EMOTIONS, ModelSet
from monitoring import continue_trace, step

MAX_SENTENCES = 256
MAX_CHARACTERS = 4000
_LABELS = [language_pb2.EmotionLabel.Value(f"EMOTION_LABEL_{name.upper()}") for name in EMOTIONS]


class LanguageServicer(language_pb2_grpc.LanguageServiceServicer):
    """See proto/meetra/inference/v2/language.proto."""

    def __init__(self, models: ModelSet) -> None:
        self._models = models

    async def AnalyseSentences(  # noqa: N802
        self, request: language_pb2.AnalyseSentencesRequest, context: aio.ServicerContext[Any, Any]
    ) -> language_pb2.AnalyseSentencesResponse:
        """Return embedding, polarity and emotions of each sentence; INVALID_ARGUMENT for too many or too long ones."""
        sentences = request.sentences
        if len(sentences) > MAX_SENTENCES:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"sentences: {len(sentences)} given; send at most {MAX_SENTENCES} per request",
            )
        if any(len(sentence) > MAX_CHARACTERS for sentence in sentences):
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"sentences: one has more than {MAX_CHARACTERS} characters; split it"
            )
        continue_trace(context.invocation_metadata() or ())
        with step("LanguageService/AnalyseSentences", sentences=len(sentences)):
            return await asyncio.to_thread(self._analyse, sentences)

    def _analyse(self, sentences: Sequence[str]) -> language_pb2.AnalyseSentencesResponse:
        vectors = self._models.text_encoder(sentences)
        polarities = self._models.sentiment(sentences, vectors)
        emotions = self._models.emotions(sentences, vectors)
        analyses = [
            language_pb2.SentenceAnalysis(
                embedding=vector.tolist(),
                polarity=float(polarity),
                emotions=[
                    language_pb2.EmotionProbability(label=label, probability=float(probability))
                    for label, probability in zip(_LABELS, row, strict=True)
                ],
            )
            for vector, polarity, row in zip(vectors, polarities, emotions, strict=True)
        ]
        return language_pb2.AnalyseSentencesResponse(analyses=analyses, models=model_messages(self._models))
