"""Reading sentences: the models from wheels, and the gRPC service on a real server."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
from grpc import aio
from meetra.inference.v2 import language_pb2, language_pb2_grpc

from inference.api.language import LanguageServicer
from inference.models import EMOTIONS, ModelSet
from inference.selection.default_models import load_default_models


@pytest.fixture(scope="module")
def models() -> ModelSet:
    return load_default_models(threads=1, recogniser_workers=1)


def test_vectors_are_near_when_sentences_mean_the_same(models: ModelSet) -> None:
    texts = ["The cat sits on the mat.", "A kitten is sitting on a rug.", "We must cut the budget.", ""]
    vectors = models.text_encoder(texts)
    assert vectors.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors[:3], axis=1), 1, atol=1e-5)
    assert not vectors[3].any()
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]


def test_a_sentence_is_read_the_same_alone_and_in_company(models: ModelSet) -> None:
    texts = ["Short.", "A sentence of middling length for a change.", "word " * 400, "Another one."]
    together = models.text_encoder(texts)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(models.text_encoder([text])[0], vector, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "emotion", "sign"),
    [
        ("I am so happy, this is a wonderful day!", "happiness", 1),
        ("This makes me furious, it is outrageous!", "anger", -1),
        ("The report has fourteen pages and two tables.", "neutral", 0),
        ("I'm scared that something terrible will happen to us.", "fear", -1),
    ],
)
def test_plain_feelings_are_read(models: ModelSet, text: str, emotion: str, sign: int) -> None:
    vectors = models.text_encoder([text])
    (probabilities,) = models.emotions([text], vectors)
    assert EMOTIONS[int(probabilities.argmax())] == emotion
    assert probabilities.sum() == pytest.approx(1)
    assert np.sign(models.sentiment([text], vectors)[0]) == sign


def test_a_word_alone_is_not_sure_and_no_words_are_neither_good_nor_bad(models: ModelSet) -> None:
    vectors = models.text_encoder(["Great.", "..."])
    assert models.emotions(["Great.", "..."], vectors)[:, EMOTIONS.index("not_sure")].tolist() == [1, 1]
    assert models.sentiment(["..."], vectors[1:])[0] == 0


async def test_the_service_reads_batches_and_refuses_what_is_too_much(models: ModelSet) -> None:
    server = aio.server()
    language_pb2_grpc.add_LanguageServiceServicer_to_server(LanguageServicer(models), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = language_pb2_grpc.LanguageServiceStub(channel)
            request = language_pb2.AnalyseSentencesRequest
            answer = await stub.AnalyseSentences(request(sentences=["Good morning.", "What a mess!"]))
            assert [len(a.embedding) for a in answer.analyses] == [384, 384]
            assert len((await stub.AnalyseSentences(request())).analyses) == 0
            for refused in (["x"] * 257, ["x" * 4001]):
                with pytest.raises(aio.AioRpcError) as error:
                    await stub.AnalyseSentences(request(sentences=refused))
                assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    finally:
        await server.stop(None)
