"""An exported Sortformer on ONNX Runtime tells what the checkpoint tells, on torch and in NeMo's own diarize().

One thing NeMo leaves open: a frame that stands for two speakers is in the cache twice, both with the same score, and
``torch.topk`` may take any of equal ones. The copies then lie in another order, and probabilities differ by some
thousandths. So ``torch.topk`` is made to take the earliest here, where frames are compared; what comes of its own
choice is in the test of that name.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

import torch

from inference.config import InferenceSettings
from inference.models import StreamInput
from inference.nemo.export import export
from inference.nemo.runtime import import_nemo
from inference.nemo.sortformer import SortformerDiarizer, apply_settings
from inference.onnx.speakers.sortformer import OnnxSortformer, SortformerState
from inference.onnx.speakers.sortformer_cache import CacheRules, compress
from inference.selection.model_selection import load_models
from inference.sortformer.latency import FRAME_SAMPLES, LATENCIES, StreamingSettings, settings_for
from tests.inference.nemo.test_sortformer import BOUND, EIGHT, FOUR, told_in_turns
from tests.inference.nemo.tiny_models import recording, sortformer

pytestmark = pytest.mark.nemo

SECONDS = (13.0, 7.777, 19.23, 0.31, 15.0001, 3.84, 9.999)
# Calls; a chunk of each session is in a call.
BEGINS = (0, 2, 1, 1, 0, 4, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of 4 and 8 speakers, as checkpoints and exported."""
    import_nemo()
    place = tmp_path_factory.mktemp("sortformers")
    for speakers in (4, 8):
        model(speakers).save_to(str(place / f"{speakers}.nemo"))
        export(place / f"{speakers}.nemo", place)
    return place


@pytest.fixture
def earliest_of_equals(monkeypatch: pytest.MonkeyPatch) -> None:
    def topk(values: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        ordered = torch.sort(values, dim=dim, descending=largest, stable=True)
        return ordered.values.narrow(dim, 0, k), ordered.indices.narrow(dim, 0, k)

    monkeypatch.setattr(torch, "topk", topk)


@cache
def model(speakers: int) -> Any:
    return sortformer(speakers)


def told_by_nemo(speakers: int, settings: StreamingSettings, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """What NeMo tells of a recording, all of it at once."""
    apply_settings(model(speakers), settings, "NeMo's")
    _, probabilities = model(speakers).diarize(
        audio=sound, sample_rate=16000, include_tensor_outputs=True, verbose=False
    )
    return np.asarray(probabilities[0][0])


@pytest.mark.usefixtures("earliest_of_equals")
@pytest.mark.parametrize(
    ("speakers", "settings"),
    [(4, FOUR[name]) for name in FOUR] + [(8, EIGHT[name]) for name in EIGHT],
    ids=[f"4 speakers, {name}" for name in FOUR] + [f"8 speakers, {name}" for name in EIGHT],
)
def test_sessions_of_different_ages_get_the_frames_of_nemo(
    folder: Path, speakers: int, settings: StreamingSettings
) -> None:
    """Caches so small that they fill and are compressed again and again; recordings that are not whole chunks."""
    sounds = [recording(length, seed) for seed, length in enumerate(SECONDS)]
    on_onnx = OnnxSortformer(folder / f"{speakers}.onnx", settings=settings, max_rows=7)
    told, states, largest = told_in_turns(on_onnx, sounds, BEGINS)
    assert largest >= 4
    on_torch = SortformerDiarizer(sortformer(speakers), settings, max_rows=7)
    assert on_onnx.latency_samples == on_torch.latency_samples
    by_torch, torch_states, _ = told_in_turns(on_torch, sounds, BEGINS)
    for sound, frames, others in zip(sounds, told, by_torch, strict=True):
        assert frames.shape == (-(-len(sound) // FRAME_SAMPLES), speakers)
        assert frames.dtype == np.float32
        assert np.abs(frames - others).max() < BOUND
        of_nemo = told_by_nemo(speakers, settings, sound)
        assert np.abs(frames[: len(of_nemo)] - of_nemo).max() < BOUND
    # Without these the test would say little: caches were compressed, silence was met, and frames differ.
    for state, other in zip(states, torch_states, strict=True):
        assert np.abs(state.memory.cache - other.cache.numpy()).max(initial=0) < 1e-3
        assert state.memory.silent_frames == int(other.silent_frames)
    longest: SortformerState = states[2]
    assert len(longest.memory.cache) == settings.speaker_cache
    assert longest.memory.cache_probabilities is not None
    assert longest.memory.silent_frames > 0
    assert told[2].std(0).min() > 0.05


@pytest.mark.usefixtures("earliest_of_equals")
@pytest.mark.parametrize(("latency", "speakers"), [*((latency, 4) for latency in LATENCIES), ("1.04s", 8)])
def test_every_latency_tells_what_it_tells_on_torch(folder: Path, latency: str, speakers: int) -> None:
    """Long enough that fifo and cache of the published sizes are full, and compressed."""
    settings = settings_for(latency, speakers)
    seconds = (settings.speaker_cache + settings.fifo + settings.update_period + 2 * settings.chunk) * 0.08 + 0.123
    sounds = [recording(seconds, 1), recording(2.345, 2)]
    on_onnx = OnnxSortformer(folder / f"{speakers}.onnx", latency=latency, max_rows=2)
    told, states, _ = told_in_turns(on_onnx, sounds, (0, 1))
    by_torch, _, _ = told_in_turns(SortformerDiarizer(sortformer(speakers), settings, max_rows=2), sounds, (0, 1))
    assert states[0].memory.cache_probabilities is not None
    assert len(states[0].memory.cache) == settings.speaker_cache
    for frames, others, sound in zip(told, by_torch, sounds, strict=True):
        assert np.abs(frames - others).max() < BOUND
        of_nemo = told_by_nemo(speakers, settings, sound)
        assert np.abs(frames[: len(of_nemo)] - of_nemo).max() < BOUND


@pytest.mark.parametrize("speakers", [4, 8])
def test_the_cache_is_compressed_as_nemo_does_it(speakers: int) -> None:
    """Frames of one speaker, of several and of none, in caches that hold few and many of them."""
    modules = model(speakers).sortformer_modules
    rules = CacheRules.model_validate({name: getattr(modules, name) for name in CacheRules.model_fields})
    before = modules.spkcache_len
    kept_silence = kept_speech = 0
    try:
        for seed in range(200):
            chance = np.random.default_rng(seed)
            modules.spkcache_len = size = int(chance.integers(4, 24)) * speakers
            count = size + int(chance.integers(1, size))
            likely = chance.uniform(-6, 2, size=speakers)
            logits = likely + chance.normal(0, chance.uniform(0.5, 4), (count, speakers))
            probabilities = (1 / (1 + np.exp(-logits))).astype(np.float32)
            embeddings = chance.standard_normal((count, 3), np.float32)
            silence = np.full(3, 9, np.float32)
            found, found_probabilities = compress(embeddings, probabilities, silence, size, rules)
            expected, expected_probabilities, _ = modules._compress_spkcache(
                *(torch.from_numpy(part)[None] for part in (embeddings, probabilities, silence))
            )
            np.testing.assert_array_equal(found, expected[0].numpy())
            np.testing.assert_array_equal(found_probabilities, expected_probabilities[0].numpy())
            kept_silence += int((found == 9).all(axis=1).sum())
            kept_speech += int((found != 9).all(axis=1).sum())
    finally:
        modules.spkcache_len = before
    assert min(kept_silence, kept_speech) > 1000


@pytest.mark.parametrize("speakers", [4, 8])
def test_where_scores_are_equal_the_same_frames_are_kept_whatever_topk_takes(speakers: int) -> None:
    """Copies of one frame: which of them is kept, and so their order, is open; what is kept is not."""
    modules = model(speakers).sortformer_modules
    rules = CacheRules.model_validate({name: getattr(modules, name) for name in CacheRules.model_fields})
    other_order = 0
    for seed in range(50):
        chance = np.random.default_rng(seed)
        size = modules.spkcache_len
        several = np.arange(size + 40) % (size - 60)
        probabilities = chance.beta(0.4, 0.4, (size - 60, speakers)).astype(np.float32)[several]
        embeddings = chance.standard_normal((size - 60, 1), np.float32)[several]
        silence = np.full(1, 9, np.float32)
        found, _ = compress(embeddings, probabilities, silence, size, rules)
        expected, _, _ = modules._compress_spkcache(
            *(torch.from_numpy(part)[None] for part in (embeddings, probabilities, silence))
        )
        ours, theirs = found[:, 0], expected[0, :, 0].numpy()
        np.testing.assert_array_equal(np.sort(ours), np.sort(theirs))
        other_order += not np.array_equal(ours, theirs)
    assert other_order


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 319, 320, 1279, 1281])
def test_the_shortest_recordings_tell_what_they_tell_on_torch(folder: Path, samples: int) -> None:
    sound = recording(1, 0)[:samples]
    on_onnx = OnnxSortformer(folder / "4.onnx")
    on_torch = SortformerDiarizer(sortformer(4), settings_for("1.04s", 4))
    ((frames, _),) = on_onnx([StreamInput(sound, on_onnx.initial_state(), last=True)])
    ((others, _),) = on_torch([StreamInput(sound, on_torch.initial_state(), last=True)])
    assert frames.shape == others.shape == (-(-samples // FRAME_SAMPLES), 4)
    assert np.abs(frames - others).max(initial=0) < BOUND


def test_an_export_takes_the_place_of_its_checkpoint(folder: Path) -> None:
    """One line chooses either."""
    chosen = [
        load_models(
            InferenceSettings.model_construct(
                threads=1, recogniser_workers=1, device="cpu", latency="0.64s", diarizer=str(folder / name)
            )
        )
        for name in ("4.onnx", "4.nemo")
    ]
    assert isinstance(chosen[0].diarizer, OnnxSortformer)
    assert isinstance(chosen[1].diarizer, SortformerDiarizer)
    sound = [recording(5.01, 7)]
    (frames,), (others,) = (told_in_turns(models.diarizer, sound, [0])[0] for models in chosen if models.diarizer)
    assert np.abs(frames - others).max() < BOUND
    assert f"diarization: {folder.name}/4.onnx" in " ".join(chosen[0].names)
