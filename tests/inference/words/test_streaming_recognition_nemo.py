"""Sessions on streaming recognisers of NeMo. Random weights say nonsense: that it is always the same is what counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.random_speech_models import recogniser, train_tokenizer
from inference.config import InferenceSettings
from inference.engine import ModelEngine
from inference.models import FrameDiarizer, ModelUnfit, RecognisedWord, StreamInput
from inference.nemo.recogniser import NemoRecogniser
from inference.nemo.streaming_recogniser import NemoStreamingRecogniser
from inference.selection.model_selection import load_models
from inference.session import Session, SessionConfig
from inference.stages.events import Event, FinishedEvent, ProgressEvent, SessionStage, TurnEvent, TurnState
from tests.devices import torch_device
from tests.inference.nemo.tiny_models import sortformer
from tests.optional_packages import WITHOUT_NEMO
from tests.recordings import RATE_HZ, sample_pcm, solo

pytest.importorskip("nemo", reason=WITHOUT_NEMO)
pytestmark = pytest.mark.nemo

Pcm = NDArray[np.int16]
# Speech with a pause in it that the detector does not hear as speech, and an end of no whole step.
PAUSE = np.zeros(3 * RATE_HZ, np.int16)
MEETING = np.concatenate([sample_pcm()[: 6 * RATE_HZ], PAUSE, sample_pcm()[6 * RATE_HZ : 12 * RATE_HZ + 777]])


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    tokenizer = train_tokenizer(folder / "tokenizer")
    recogniser("tdt", tokenizer, streaming=True).save_to(str(folder / "tdt.nemo"))
    recogniser("hybrid", tokenizer, streaming=True).save_to(str(folder / "hybrid.nemo"))
    recogniser("ctc", tokenizer, streaming=True).save_to(str(folder / "ctc.nemo"))
    recogniser("rnnt", tokenizer).save_to(str(folder / "offline.nemo"))
    sortformer().save_to(str(folder / "sortformer.nemo"))
    return folder


def chosen(path: Path, **more: Any) -> InferenceSettings:
    return InferenceSettings.model_construct(
        threads=1, recogniser_workers=1, device="cpu", recogniser=str(path), **more
    )


def engine_of(shared: ModelEngine, path: Path, diarizer: FrameDiarizer | None = None) -> ModelEngine:
    """The default engine's models with another recogniser; they are the default engine's to close."""
    from inference.nemo.streaming_recogniser import load_streaming_recogniser

    model = load_streaming_recogniser(path, device=torch_device(), dtype="float32", languages=["en"])
    return ModelEngine(replace(shared.models, recogniser=model, diarizer=diarizer))


async def run(engine: ModelEngine, pcm: Pcm, chunk: int, *, live: bool) -> list[Event]:
    session = Session(engine, SessionConfig(live=live))
    said: list[Event] = []
    try:
        for start in range(0, len(pcm), chunk):
            said += await session.push(pcm[start : start + chunk])
        return said + await session.finish()
    finally:
        await session.close()


def turns_of(said: Sequence[Event], *states: TurnState) -> list[TurnEvent]:
    return [event for event in said if isinstance(event, TurnEvent) and event.state in states]


def final(said: Sequence[Event]) -> list[TurnEvent]:
    return [replace(turn, revision=0) for turn in turns_of(said, TurnState.FINAL)]


def words_of(turns: Sequence[TurnEvent]) -> list[RecognisedWord]:
    return sorted((word for turn in turns for word in turn.words), key=lambda word: (word.start_s, word.end_s))


def whole(model: Any, pcm: Pcm) -> list[RecognisedWord]:
    """The words of a recording that the model is given at once."""
    samples = pcm.astype(np.float32) / np.float32(32768)
    ((heard, _),) = model([StreamInput(samples, model.initial_state(), last=True)])
    return list(heard.words)


def assert_same_words(found: Sequence[RecognisedWord], wanted: Sequence[RecognisedWord]) -> None:
    """The same but for rounding; a word told before the end was known may seem to last a frame longer."""
    assert [(word.text, word.start_s) for word in found] == [(word.text, word.start_s) for word in wanted]
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.end_s == pytest.approx(theirs.end_s, abs=0.081)
        assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-4)


@pytest.mark.parametrize("kind", ["tdt", "hybrid"])
async def test_a_session_has_the_words_of_its_recording_live_and_uploaded_however_it_is_cut(
    engine: ModelEngine, checkpoints: Path, kind: str
) -> None:
    streaming = engine_of(engine, checkpoints / f"{kind}.nemo")
    uploaded = await run(streaming, MEETING, RATE_HZ, live=False)
    wanted = whole(streaming.models.recogniser, MEETING)
    assert len(wanted) > 30
    assert_same_words(words_of(final(uploaded)), wanted)
    for chunk, live in ((333, False), (1600, True), (len(MEETING), True)):
        said = await run(streaming, MEETING, chunk, live=live)
        assert final(said) == final(uploaded)
        assert said[-1].total_samples == len(MEETING)  # type: ignore[union-attr]
    await streaming.close()


async def test_what_is_told_live_is_the_same_however_audio_comes_and_what_is_stable_stays(
    engine: ModelEngine, checkpoints: Path
) -> None:
    streaming = engine_of(engine, checkpoints / "tdt.nemo")
    # Turns are stable once voice windows of ten seconds have come.
    pcm = np.concatenate([MEETING, np.zeros(10 * RATE_HZ, MEETING.dtype)])
    said = await run(streaming, pcm, 1600, live=True)
    turns = turns_of(said, *TurnState)
    assert turns == turns_of(await run(streaming, pcm, 40_000, live=True), *TurnState)
    told = [turn.words for turn in turns if turn.state is TurnState.PARTIAL and turn.words]
    assert told, "words are told while speech goes on"
    ends = words_of(final(said))
    stable = turns_of(said, TurnState.STABLE)
    assert stable
    for turn in stable:
        assert all(word in ends for word in turn.words)
    # By segment of speech: once it is stable it has all of its words, whoever says them.
    count: dict[int, int] = {}
    for turn in stable:
        near = [word for word in turn.words if turn.start_s - 1 < word.end_s and word.start_s < turn.end_s + 1]
        assert count.setdefault(turn.segment_id, len(near)) == len(near)
    await streaming.close()


async def test_all_that_begins_before_the_watermark_was_told(engine: ModelEngine, checkpoints: Path) -> None:
    streaming = engine_of(engine, checkpoints / "tdt.nemo")
    said = await run(streaming, MEETING, 8192, live=True)
    told: dict[int, tuple[RecognisedWord, ...]] = {}
    done, ends = [], words_of(final(said))
    for event in said:
        if isinstance(event, TurnEvent) and event.state is not TurnState.FINAL:
            told[event.segment_id] = event.words
        elif isinstance(event, ProgressEvent) and event.stage == SessionStage.ANALYSING:
            done.append(event.processed_samples)
            known = {word for words in told.values() for word in words}
            first = min((turn.start_s for turn in final(said)), default=0.0)
            assert {w for w in ends if first <= w.start_s and w.end_s < event.processed_samples / RATE_HZ} <= known
    assert done == sorted(done)
    assert done[-1] > len(MEETING) - 3 * RATE_HZ
    await streaming.close()


async def test_sessions_on_one_engine_have_the_words_they_have_alone(engine: ModelEngine, checkpoints: Path) -> None:
    streaming = engine_of(engine, checkpoints / "hybrid.nemo")
    recordings = [MEETING, solo("slt")[: 5 * RATE_HZ], MEETING[30_000:], solo("rms")[: 7 * RATE_HZ]]
    alone = [final(await run(streaming, pcm, RATE_HZ, live=False)) for pcm in recordings]
    chunks = ((8192, True), (1600, False), (50_000, True), (3000, False))
    together = await asyncio.gather(
        *(run(streaming, pcm, chunk, live=live) for pcm, (chunk, live) in zip(recordings, chunks, strict=True))
    )
    for said, wanted in zip(together, alone, strict=True):
        assert_same_words(words_of(final(said)), words_of(wanted))
        assert [(t.segment_id, t.speaker, t.start_s) for t in final(said)] == [
            (t.segment_id, t.speaker, t.start_s) for t in wanted
        ]
    (queue,) = [queue for queue, _ in streaming.statistics() if queue.name == "speech recognition"]
    assert queue.statistics.largest > 1, "they shared calls"
    await streaming.close()


async def test_a_streaming_diarizer_places_the_same_words(engine: ModelEngine, checkpoints: Path) -> None:
    from inference.nemo import load_sortformer

    diarizer = load_sortformer(checkpoints / "sortformer.nemo", latency="0.64s", device=torch_device(), dtype="float32")
    streaming = engine_of(engine, checkpoints / "tdt.nemo", diarizer)
    uploaded = await run(streaming, MEETING, RATE_HZ, live=False)
    assert_same_words(words_of(final(uploaded)), whole(streaming.models.recogniser, MEETING))
    live = await run(streaming, MEETING, 1600, live=True)
    assert final(live) == final(uploaded)
    told = [
        word for turn in {t.segment_id: t for t in turns_of(live, TurnState.STABLE)}.values() for word in turn.words
    ]
    assert told
    assert len(told) == len(set(told)), "no word is told in two turns"
    await streaming.close()


async def test_silence_and_nothing_have_no_turns(engine: ModelEngine, checkpoints: Path) -> None:
    streaming = engine_of(engine, checkpoints / "tdt.nemo")
    for samples in (0, 100, 3 * RATE_HZ):
        said = await run(streaming, np.zeros(samples, np.int16), RATE_HZ, live=True)
        assert isinstance(said[-1], FinishedEvent)
        assert not turns_of(said, *TurnState)
    await streaming.close()


async def test_a_model_that_fails_fails_its_own_session_alone(engine: ModelEngine, checkpoints: Path) -> None:
    streaming = engine_of(engine, checkpoints / "tdt.nemo")
    broken = Session(streaming, SessionConfig())
    broken._recognition._state = None  # type: ignore[union-attr]

    async def fail() -> None:
        with pytest.raises(AttributeError):
            await broken.push(MEETING)
        await broken.close()

    said, _ = await asyncio.gather(run(streaming, MEETING, RATE_HZ, live=False), fail())
    assert_same_words(words_of(final(said)), whole(streaming.models.recogniser, MEETING))
    await streaming.close()


async def test_the_checkpoint_says_which_backend_it_needs(checkpoints: Path, tmp_path: Path) -> None:
    for name, backend in (("tdt", NemoStreamingRecogniser), ("ctc", NemoRecogniser), ("offline", NemoRecogniser)):
        models = load_models(chosen(checkpoints / f"{name}.nemo", languages="de"))
        assert isinstance(models.recogniser, backend)
        assert models.recogniser.languages == ("de",)
        assert f"speech recognition: {checkpoints.name}/{name}.nemo" in models.names
    path = tmp_path / "normalised.nemo"
    model = recogniser("rnnt", checkpoints / "tokenizer", streaming=True)
    model.cfg.preprocessor.normalize = "per_feature"
    model.save_to(str(path))
    with pytest.raises(ModelUnfit, match=r"^MEETRA_INFERENCE_RECOGNISER=.*preprocessor.normalize is 'per_feature'"):
        load_models(chosen(path))
