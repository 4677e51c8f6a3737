"""NeMo checkpoints chosen by one line. Skipped where NeMo is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.random_speaker_encoder import speaker_encoder
from benchmarks.random_speech_models import recogniser, train_tokenizer
from inference.config import InferenceSettings
from inference.engine import ModelEngine
from inference.models import ModelCorrupt, ModelUnfit
from inference.nemo.recogniser import NemoRecogniser
from inference.selection.model_devices import on_gpu, parts_of
from inference.selection.model_selection import load_models
from inference.session import Session, SessionConfig
from inference.stages.events import Event, FinishedEvent, TurnEvent
from tests.devices import torch_device
from tests.inference.nemo.tiny_models import sortformer
from tests.inference.onnx import onnx_models
from tests.optional_packages import WITHOUT_NEMO
from tests.recordings import RATE_HZ, sample_pcm

pytest.importorskip("nemo", reason=WITHOUT_NEMO)
pytestmark = pytest.mark.nemo


def settings(**chosen: Any) -> InferenceSettings:
    return InferenceSettings.model_construct(
        threads=1, recogniser_workers=1, device="auto" if torch_device() == "cuda" else "cpu", **chosen
    )


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny diarizer, encoder and recogniser, as NeMo itself writes them."""
    from inference.nemo.runtime import import_nemo

    import_nemo()
    folder = tmp_path_factory.mktemp("checkpoints")
    sortformer().save_to(str(folder / "sortformer.nemo"))
    speaker_encoder().save_to(str(folder / "titanet.nemo"))
    recogniser("tdt", train_tokenizer(folder / "tokenizer")).save_to(str(folder / "parakeet.nemo"))
    return folder


async def test_a_meeting_is_analysed_by_checkpoints_that_were_chosen(checkpoints: Path) -> None:
    models = load_models(
        settings(
            diarizer=str(checkpoints / "sortformer.nemo"),
            speaker_encoder=str(checkpoints / "titanet.nemo"),
            recogniser=str(checkpoints / "parakeet.nemo"),
            latency="0.64s",
        )
    )
    assert models.diarizer is not None
    assert models.diarizer.latency_samples <= 0.7 * RATE_HZ
    assert isinstance(models.recogniser, NemoRecogniser)
    assert [name for name in models.names if ".nemo" in name] == [
        f"speaker vectors: {checkpoints.name}/titanet.nemo",
        f"diarization: {checkpoints.name}/sortformer.nemo",
        f"speech recognition: {checkpoints.name}/parakeet.nemo",
    ]
    for model in (models.diarizer, models.encoder, models.recogniser):
        assert {"nemo", "torch"} & {type(part).__module__.partition(".")[0] for part in parts_of(model)}
        assert on_gpu(model) is (torch_device() == "cuda")
    engine = ModelEngine(models)
    session = Session(engine, SessionConfig())
    said: list[Event] = list(await session.push(sample_pcm()[: 8 * RATE_HZ]))
    said += await session.finish()
    await session.close()
    await engine.close()
    assert isinstance(said[-1], FinishedEvent)
    assert said[-1].voices.vectors.shape[1] == models.encoder.profile.dimension
    assert all(event.speaker <= models.diarizer.max_speakers for event in said if isinstance(event, TurnEvent))


def test_an_exported_encoder_takes_the_place_of_its_checkpoint(checkpoints: Path, tmp_path: Path) -> None:
    from inference.nemo.export import export

    export(checkpoints / "titanet.nemo", tmp_path)
    by_torch = load_models(settings(speaker_encoder=str(checkpoints / "titanet.nemo"))).encoder
    by_onnx = load_models(settings(speaker_encoder=str(tmp_path / "titanet.onnx"))).encoder
    windows = [np.asarray(sample_pcm()[start : start + 24_000] / 32768, np.float32) for start in (0, 48_000, 96_000)]
    np.testing.assert_allclose(by_onnx(windows), by_torch(windows), atol=1e-4)
    assert by_onnx.profile == by_torch.profile


def test_a_checkpoint_for_another_task_is_refused(checkpoints: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnfit, match=r"^MEETRA_INFERENCE_DIARIZER=.*titanet.nemo holds a EncDecSpeakerLabelModel"):
        load_models(settings(diarizer=str(checkpoints / "titanet.nemo")))
    with pytest.raises(ModelUnfit, match=r"^MEETRA_INFERENCE_VAD=.*has the format nemo; supported for voice activity"):
        load_models(settings(vad=str(checkpoints / "titanet.nemo")))
    with pytest.raises(ModelUnfit, match=r"^MEETRA_INFERENCE_DIARIZER=.*encoder.json: task is 'speaker_vectors'"):
        load_models(settings(diarizer=str(onnx_models.speaker_encoder(tmp_path / "encoder.onnx"))))
    (tmp_path / "broken.nemo").write_bytes(b"nothing")
    with pytest.raises(ModelCorrupt, match=r"^MEETRA_INFERENCE_DIARIZER=.*broken.nemo"):
        load_models(settings(diarizer=str(tmp_path / "broken.nemo")))
