"""Speaker vectors of NeMo behind the Protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.random_speaker_encoder import speaker_encoder
from benchmarks.random_speech_models import recogniser, speechlike, train_tokenizer
from inference.models import SAMPLE_RATE_HZ, ModelUnfit
from tests.devices import torch_device
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

SECONDS = (1.5, 1.5, 0.73, 3.0, 0.11, 1.5, 0.4, 0.02, 1.501)
WINDOWS = [speechlike(seconds, seed) for seed, seconds in enumerate(SECONDS)]


@pytest.fixture(scope="module", params=[True, False], ids=["masked", "unmasked"])
def masked(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def checkpoint(masked: bool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("titanet") / "titanet.nemo"
    speaker_encoder(conv_mask=masked).save_to(str(path))
    return path


def load(path: Path, dtype: str = "float32") -> Any:
    from inference.nemo.speaker_encoder import load_speaker_encoder

    return load_speaker_encoder(path, device=torch_device(), dtype=dtype)


def test_vectors_are_those_of_nemo_for_each_window_alone(checkpoint: Path) -> None:
    import torch

    from inference.nemo.checkpoint import load_checkpoint

    model = load_checkpoint(checkpoint, ("EncDecSpeakerLabelModel",), device="cpu")
    vectors = load(checkpoint)(WINDOWS)
    assert vectors.shape == (len(WINDOWS), 16)
    assert vectors.dtype == np.float32
    for window, vector in zip(WINDOWS, vectors, strict=True):
        if len(window) < SAMPLE_RATE_HZ // 10:
            continue  # padded here
        with torch.inference_mode():
            _, expected = model.forward(
                input_signal=torch.from_numpy(window)[None], input_signal_length=torch.tensor([len(window)])
            )
        unit = expected[0].numpy() / np.linalg.norm(expected[0].numpy())
        assert vector == pytest.approx(unit, abs=1e-5)


def test_a_vector_does_not_depend_on_its_company(checkpoint: Path) -> None:
    encoder = load(checkpoint)
    together = encoder(WINDOWS)
    alone = np.concatenate([encoder([window]) for window in WINDOWS])
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(encoder(WINDOWS[::-1])[::-1] - together).max() < 1e-5


def test_vectors_have_unit_length_and_tell_sounds_apart(checkpoint: Path) -> None:
    encoder = load(checkpoint)
    vectors = encoder(WINDOWS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(WINDOWS)), abs=1e-5)
    assert np.linalg.matrix_rank(vectors, tol=1e-3) > 3
    assert encoder([]).shape == (0, 16)


def test_the_profile_is_of_the_model(checkpoint: Path) -> None:
    profile = load(checkpoint).profile
    assert profile.dimension == 16
    assert profile.hop_s <= profile.window_s
    assert -1 < profile.online_similarity <= profile.merge_similarity < 1
    assert profile.split_similarity <= profile.merge_similarity


def test_many_windows_go_in_several_passes(checkpoint: Path) -> None:
    from inference.nemo import speaker_encoder as module

    windows = [WINDOWS[0]] * (module.BATCH_SAMPLES // len(WINDOWS[0]) + 3)
    encoder = load(checkpoint)
    batches = list(encoder._batches(windows))
    assert [len(batch) for batch in batches] == [128, 3]
    assert sorted(place for batch in batches for place in batch) == list(range(131))


def test_half_precision_gives_about_the_same_vectors(checkpoint: Path) -> None:
    exact, rough = load(checkpoint)(WINDOWS), load(checkpoint, "bfloat16")(WINDOWS)
    assert rough.dtype == np.float32
    assert np.min(np.sum(exact * rough, axis=1)) > 0.99


def test_a_recogniser_is_no_speaker_encoder(tmp_path: Path) -> None:
    path = tmp_path / "ctc.nemo"
    recogniser("ctc", train_tokenizer(tmp_path / "tokenizer")).save_to(str(path))
    with pytest.raises(ModelUnfit, match="EncDecCTCModelBPE"):
        load(path)
