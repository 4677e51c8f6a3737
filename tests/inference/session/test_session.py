"""The session engine with its real models, over real gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from grpc import StatusCode, aio
from meetra.inference.v2 import model_pb2, session_pb2, session_pb2_grpc

from inference.api.admission import SessionLimits
from inference.api.service import SessionServicer
from inference.engine import ModelEngine
from inference.models import WindowTask
from inference.session import Session, SessionConfig
from inference.stages.events import FinishedEvent, TurnEvent
from tests.recordings import RATE_HZ, sample_pcm, solo

SPEECH = sample_pcm()[: 20 * RATE_HZ]


@pytest.fixture
async def stub(engine: ModelEngine) -> AsyncIterator[session_pb2_grpc.SessionServiceAsyncStub]:
    server = aio.server()
    session_pb2_grpc.add_SessionServiceServicer_to_server(SessionServicer(engine, SessionLimits(1)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield session_pb2_grpc.SessionServiceStub(channel)
    await server.stop(None)


async def run(engine: ModelEngine, pcm: np.ndarray, chunk: int, **known: object) -> list[object]:
    session = Session(engine, SessionConfig(**known))  # type: ignore[arg-type]
    said: list[object] = []
    for start in range(0, len(pcm), chunk):
        said += await session.push(pcm[start : start + chunk])
    said += await session.finish()
    await session.close()
    return [event for event in said if isinstance(event, TurnEvent)]


async def test_the_size_of_chunks_changes_nothing(engine: ModelEngine) -> None:
    assert await run(engine, SPEECH, RATE_HZ) == await run(engine, SPEECH, 777 * 16)


async def test_speakers_are_told_apart_and_words_recognised(engine: ModelEngine) -> None:
    turns = await run(engine, sample_pcm()[: 30 * RATE_HZ], RATE_HZ)
    assert len({turn.speaker for turn in turns}) >= 3  # type: ignore[attr-defined]
    words = [word for turn in turns for word in turn.words]  # type: ignore[attr-defined]
    assert "budget" in [word.text.strip(".,").lower() for word in words]
    assert {word.language for word in words} == {"en"}
    assert all(0 <= word.confidence <= 1 and word.end_s > word.start_s for word in words)


async def test_a_known_number_of_speakers_is_kept_to(engine: ModelEngine) -> None:
    turns = await run(engine, SPEECH, RATE_HZ, expected_speakers=1)
    assert {turn.speaker for turn in turns} == {1}  # type: ignore[attr-defined]


async def test_silence_has_no_speakers(engine: ModelEngine) -> None:
    session = Session(engine, SessionConfig())
    await session.push(np.zeros(3 * RATE_HZ, np.int16))
    (end,) = await session.finish()
    assert isinstance(end, FinishedEvent)
    assert (end.total_samples, len(end.voices.vectors)) == (3 * RATE_HZ, 0)


async def test_words_of_a_window_do_not_depend_on_what_came_before(engine: ModelEngine) -> None:
    async def words(samples: np.ndarray) -> object:
        return await engine.decode_window(None, WindowTask(await engine.encode_window(None, samples), "en"))

    windows = [np.asarray(SPEECH[start : start + 4 * RATE_HZ] / 32768, np.float32) for start in (0, 5 * RATE_HZ)]
    first = [await words(window) for window in windows]
    # Beside each other, and in another order.
    assert await asyncio.gather(*map(words, windows[::-1])) == first[::-1]


Request = session_pb2.RunSessionRequest
CONFIG = Request(config=session_pb2.SessionConfig(sample_rate_hz=16_000))


def audio(first_sample: int, data: bytes) -> session_pb2.RunSessionRequest:
    return Request(audio=session_pb2.AudioChunk(first_sample=first_sample, pcm_s16le=data))


async def test_the_statistics_tell_what_the_models_did(stub: session_pb2_grpc.SessionServiceAsyncStub) -> None:
    async def counted() -> tuple[int, dict[int, session_pb2.ModelStatistics]]:
        told = await stub.GetStatistics(session_pb2.GetStatisticsRequest())
        return told.sessions, {model.task: model for model in told.models}

    open_before, before = await counted()
    requests = [CONFIG, audio(0, SPEECH[: 8 * RATE_HZ].tobytes()), Request(finish=session_pb2.Finish())]
    assert [r.WhichOneof("event") async for r in stub.RunSession(iter(requests))][-1] == "finished"
    sessions, after = await counted()
    assert sessions == open_before
    assert set(after) == {
        model_pb2.TASK_VOICE_ACTIVITY,
        model_pb2.TASK_SPEAKER_EMBEDDING,
        model_pb2.TASK_VOICE_SEGMENTATION,
        model_pb2.TASK_AUDIO_QUALITY,
        model_pb2.TASK_SPEECH_RECOGNITION,
        model_pb2.TASK_PROVISIONAL_WORDS,
    }
    provisional = model_pb2.TASK_PROVISIONAL_WORDS
    assert after.pop(provisional).works == before[provisional].works, "nobody listens"
    for task, model in after.items():
        assert model.works > before[task].works, task
        assert model.processor_us > before[task].processor_us, task
        assert model.largest_call >= 1
        assert (model.waiting, model.failed) == (0, 0)


BROKEN_PROTOCOL = {
    "no config": ([audio(0, b"\0\0")], "config: "),
    "wrong rate": ([Request(config=session_pb2.SessionConfig(sample_rate_hz=8000))], "config.sample_rate_hz"),
    "a gap": ([CONFIG, audio(5, b"\0\0")], "audio.first_sample"),
    "half a sample": ([CONFIG, audio(0, b"\0")], "audio.pcm_s16le"),
    "too large": ([CONFIG, audio(0, b"\0" * (1024 * 1024 + 2))], "audio.pcm_s16le"),
    "two configs": ([CONFIG, CONFIG], "payload"),
    "no finish": ([CONFIG], "finish"),
    "nobody speaks for 65": (
        [Request(config=session_pb2.SessionConfig(sample_rate_hz=16_000, expected_speakers=65))],
        "config.expected_speakers",
    ),
    "too many terms": (
        [Request(config=session_pb2.SessionConfig(sample_rate_hz=16_000, key_terms=["term"] * 133))],
        "config.key_terms: at most 132 terms, each of at most 100 characters",
    ),
    "a term too long": (
        [Request(config=session_pb2.SessionConfig(sample_rate_hz=16_000, key_terms=["x" * 101]))],
        "config.key_terms: at most 132 terms, each of at most 100 characters",
    ),
}


@pytest.mark.parametrize("kind", BROKEN_PROTOCOL)
async def test_a_broken_protocol_is_named(stub: session_pb2_grpc.SessionServiceAsyncStub, kind: str) -> None:
    requests, named = BROKEN_PROTOCOL[kind]
    with pytest.raises(aio.AioRpcError) as raised:
        async for _ in stub.RunSession(iter(requests)):
            pass
    assert raised.value.code() == StatusCode.INVALID_ARGUMENT
    assert named in str(raised.value.details())


async def test_one_session_too_many_is_refused_and_a_cancelled_one_leaves_its_place(
    stub: session_pb2_grpc.SessionServiceAsyncStub,
) -> None:
    held = stub.RunSession()
    await held.write(CONFIG)
    opened = await held.read()
    assert isinstance(opened, session_pb2.RunSessionResponse)
    assert opened.WhichOneof("event") == "ready"
    with pytest.raises(aio.AioRpcError) as raised:
        async for _ in stub.RunSession(iter([CONFIG])):
            pass
    assert raised.value.code() == StatusCode.RESOURCE_EXHAUSTED
    held.cancel()
    silent = [CONFIG, audio(0, b"\0\0" * 16_000), Request(finish=session_pb2.Finish())]
    for _ in range(50):
        try:
            said = [response.WhichOneof("event") async for response in stub.RunSession(iter(silent))]
            break
        except aio.AioRpcError:
            continue
    assert said[0] == "ready"
    assert said[-1] == "finished"


async def test_what_is_known_of_a_session_is_as_it_was_sent(engine: ModelEngine) -> None:
    def known(**config: object) -> SessionConfig:
        sent = session_pb2.SessionConfig(sample_rate_hz=16_000, **config)  # type: ignore[arg-type]
        return SessionServicer(engine, SessionLimits(1))._checked_config(Request(config=sent))

    assert known() == SessionConfig()
    assert known(language="de-AT", key_terms=[" Meetra ", "", "  "]) == SessionConfig(
        language="de", key_terms=("Meetra",)
    )
    assert known(language="EN", live=True) == SessionConfig(language="en", live=True)
    assert known(organization="a", bulk=True) == SessionConfig(organization="a", bulk=True)
    assert not known(live=True, bulk=True).bulk
    assert known(key_terms=["x" * 100] * 132).key_terms == ("x" * 100,) * 132
    assert known(language="nb").language == "no"
    # Words of another language would be wrong to the last.
    assert known(language="tlh") == SessionConfig(transcribe=False)


@pytest.mark.parametrize(("language", "unknown"), [("", False), ("en-GB", False), ("ga", True)])
async def test_a_language_that_is_not_known_is_said_at_once_and_gives_no_words(
    stub: session_pb2_grpc.SessionServiceAsyncStub, language: str, unknown: bool
) -> None:
    config = session_pb2.SessionConfig(sample_rate_hz=16_000, language=language)
    requests = [Request(config=config), audio(0, SPEECH[: 8 * RATE_HZ].tobytes()), Request(finish=session_pb2.Finish())]
    said = [response async for response in stub.RunSession(iter(requests))]
    assert said[0].ready.language_unknown is unknown
    turns = [response.turn for response in said if response.HasField("turn")]
    assert turns
    assert any(turn.words for turn in turns) is not unknown
    asked = await stub.GetCapabilities(session_pb2.GetCapabilitiesRequest(language=language))
    assert asked.language_unknown is unknown


async def test_the_capabilities_name_languages_and_key_terms(stub: session_pb2_grpc.SessionServiceAsyncStub) -> None:
    told = (await stub.GetCapabilities(session_pb2.GetCapabilitiesRequest())).capabilities
    assert len(told.languages) == 99
    assert (told.key_terms, told.word_times) == (True, True)
    assert len({model.task for model in told.models}) == len(told.models) > 0
    assert all(model.task and model.name and not model.version for model in told.models)


@pytest.mark.parametrize("speaker", ["rms", "slt", "awb", "kal16"])
async def test_one_voice_alone_is_one_speaker(engine: ModelEngine, speaker: str) -> None:
    turns = await run(engine, solo(speaker), RATE_HZ, transcribe=False)
    assert {turn.speaker for turn in turns} == {1}  # type: ignore[attr-defined]
