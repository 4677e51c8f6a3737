"""Which sentences the text models are asked about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from grpc import aio
from meetra.inference.v2 import language_pb2, language_pb2_grpc

from server.analysis.text_analysis import SentenceReader, analyse_text
from server.conversation import split_sentences
from server.engine.inference_client import InferenceClient
from tests.server.insights.meetings_in_languages import german, german_and_english

HAPPINESS = language_pb2.EmotionLabel.Value("EMOTION_LABEL_HAPPINESS")


class Models(language_pb2_grpc.LanguageServiceServicer):
    """Finds everything happy, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def AnalyseSentences(  # noqa: N802
        self, request: language_pb2.AnalyseSentencesRequest, context: Any
    ) -> language_pb2.AnalyseSentencesResponse:
        self.asked += request.sentences
        happy = language_pb2.EmotionProbability(label=HAPPINESS, probability=1.0)
        analysis = language_pb2.SentenceAnalysis(embedding=[1.0, 0.0], polarity=0.5, emotions=[happy])
        return language_pb2.AnalyseSentencesResponse(analyses=[analysis] * len(request.sentences))


@pytest.fixture
async def models() -> AsyncIterator[tuple[Models, InferenceClient]]:
    models, server = Models(), aio.server()
    language_pb2_grpc.add_LanguageServiceServicer_to_server(models, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    client = InferenceClient(f"127.0.0.1:{port}")
    yield models, client
    await client.close()
    await server.stop(None)


async def test_english_sentences_are_read_and_others_are_not_even_sent(models: tuple[Models, InferenceClient]) -> None:
    engine, client = models
    reported: list[tuple[int, int]] = []

    async def report(done: int, total: int) -> None:
        reported.append((done, total))

    heard = replace(german_and_english(), sentences=())
    found = await analyse_text(heard, client, report)
    assert engine.asked == [s.text for s in found.sentences if s.language == "en"]
    assert reported == [(2, 2)]
    assert [s.polarity for s in found.sentences] == [None] * 7 + [0.5] * 2
    assert [bool(s.vector) for s in found.sentences] == [False] * 7 + [True] * 2
    assert len(found.sentences) == 9


async def test_a_meeting_without_english_needs_no_models(models: tuple[Models, InferenceClient]) -> None:
    engine, client = models

    async def report(done: int, total: int) -> None:
        raise AssertionError("nothing is read")

    found = await analyse_text(replace(german(), sentences=()), client, report)
    assert engine.asked == []
    assert [s.text for s in found.sentences] == [s.text for s in german().sentences]


async def test_the_sentences_of_a_meeting_that_grows_are_each_read_once(models: tuple[Models, InferenceClient]) -> None:
    engine, client = models
    sentences = split_sentences(replace(german_and_english(), sentences=()))
    english = [s.text for s in sentences if s.language == "en"]
    reader = SentenceReader(client)
    assert [s.polarity for s in await reader.read(sentences[:-1], 300)] == [None] * 7 + [0.5]
    assert engine.asked == english[:1]
    read = await reader.read(sentences, 300)
    assert engine.asked == english
    assert [bool(s.vector) for s in read] == [False] * 7 + [True] * 2
    assert [s.emotions is None for s in read] == [True] * 7 + [False] * 2
    # What is provisional vanishes, and is forgotten.
    await reader.read(sentences[:-1], 300)
    await reader.read(sentences, 300)
    assert engine.asked == [*english, english[1]]


async def test_what_cannot_be_read_now_is_read_by_a_later_call(models: tuple[Models, InferenceClient]) -> None:
    engine, client = models
    sentences = split_sentences(replace(german_and_english(), sentences=()))
    for reader, patience_s in ((SentenceReader(InferenceClient("127.0.0.1:1")), 300), (SentenceReader(client), 0)):
        assert [s.polarity for s in await reader.read(sentences, patience_s)] == [None] * 9
    assert engine.asked == []
    assert [s.polarity for s in await reader.read(sentences, 300)] == [None] * 7 + [0.5] * 2
