"""A Sortformer in ONNX without NeMo: what it hears and when, and what is refused before the first meeting.

The graph here has the contract of an exported one and says of each frame what the first of its features says, so that
what must be told is known without it. That an exported checkpoint tells what NeMo tells: test_onnx_sortformer_nemo.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit, StreamInput
from inference.onnx.features.log_mel import LogMel, LogMelSettings
from inference.onnx.runtime import Execution
from inference.onnx.speakers.sortformer import OnnxSortformer
from inference.sortformer.latency import FRAME_SAMPLES, LATENCIES
from tests.devices import onnx_device
from tests.inference.onnx.onnx_models import random

BANDS, WIDTH, SPEAKERS = 20, 6, 3
MEL = {"bands": BANDS, "normalise": "none"}
EMBED, TELL = random(BANDS, WIDTH, seed=1) / 20, random(WIDTH, SPEAKERS, seed=2)
DESCRIPTION: dict[str, Any] = {
    "task": "diarization",
    "sample_rate_hz": 16000,
    "input": "mel",
    "mel": MEL,
    "dimension": WIDTH,
    "max_speakers": SPEAKERS,
    "subsampling": 8,
    "streaming": {
        "spkcache_sil_frames_per_spk": 3,
        "sil_threshold": 0.2,
        "pred_score_threshold": 0.25,
        "strong_boost_rate": 0.75,
        "weak_boost_rate": 1.5,
        "min_pos_scores_rate": 0.5,
        "scores_boost_latest": 0.05,
    },
}
STEP = """
    <ir_version: 10, opset_import: ["" : 18]>
    step (float[n,t,{bands}] chunk, int64[n] chunk_lengths, float[n,c,{width}] spkcache, int64[n] spkcache_lengths,
          float[n,f,{width}] fifo, int64[n] fifo_lengths)
        => (float[n,l,{speakers}] preds, float[n,m,{width}] chunk_embs, int64[n] chunk_emb_lengths)
    <int64 zero = {{0}}, int64 one = {{1}},
     int64[1] from = {{0}}, int64[1] to = {{1000000}}, int64[1] time = {{1}}, int64[1] frame = {{8}},
     int64 seven = {{7}}, int64 eight = {{8}}, int64[1] last = {{2}}, int64[3] deep = {{1, 1, {width}}}>
    {{
        kept = Slice(chunk, from, to, time, frame)
        chunk_embs = MatMul(kept, embed)
        reached = Add(chunk_lengths, seven)
        chunk_emb_lengths = Div(reached, eight)
        all = Concat<axis = 1>(spkcache, fifo, chunk_embs)
        cache_size = Shape<start = 1, end = 2>(spkcache)
        fifo_size = Shape<start = 1, end = 2>(fifo)
        before = Add(spkcache_lengths, fifo_lengths)
        total = Add(before, chunk_emb_lengths)
        longest = ReduceMax<keepdims = 0>(total)
        place = Range(zero, longest, one)
        end_cache = Unsqueeze(spkcache_lengths, time)
        end_fifo = Unsqueeze(before, time)
        end = Unsqueeze(total, time)
        in_cache = Less(place, end_cache)
        in_fifo = Less(place, end_fifo)
        valid = Less(place, end)
        of_fifo = Sub(place, end_cache)
        from_fifo = Add(of_fifo, cache_size)
        of_chunk = Sub(place, end_fifo)
        sizes = Add(cache_size, fifo_size)
        from_chunk = Add(of_chunk, sizes)
        later = Where(in_fifo, from_fifo, from_chunk)
        any = Where(in_cache, place, later)
        index = Where(valid, any, zero)
        flat = Unsqueeze(index, last)
        whole = Expand(flat, deep)
        packed = GatherElements<axis = 1>(all, whole)
        scores = MatMul(packed, tell)
        {probabilities}
        there = Cast<to = 1>(valid)
        mask = Unsqueeze(there, last)
        preds = Mul(said, mask)
    }}
"""
HONEST = "said = Sigmoid(scores)"
# Every session hears a little of all others in the call.
CROSS_TALK = "sum = ReduceSum<keepdims = 1>(scores, from) mixed = Add(scores, sum) said = Sigmoid(mixed)"


def exported(folder: Path, changes: Mapping[str, object] | None = None, probabilities: str = HONEST) -> Path:
    """A graph with the JSON file beside it."""
    text = STEP.format(bands=BANDS, width=WIDTH, speakers=SPEAKERS, probabilities=probabilities)
    model = onnx.parser.parse_model(text)
    weights: dict[str, NDArray[Any]] = {"embed": EMBED, "tell": TELL}
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in weights.items())
    onnx.checker.check_model(model)
    path = folder / "sortformer.onnx"
    onnx.save(model, str(path))
    path.with_suffix(".json").write_text(json.dumps({**DESCRIPTION, **(changes or {})}))
    return path


def sound(seconds: float, seed: int) -> NDArray[np.float32]:
    return np.asarray(0.1 * np.random.default_rng(seed).standard_normal(round(seconds * 16000)), np.float32)


def right(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """What must be told of a recording, all of it at once; shape (frames, speakers)."""
    # Silence before changes nothing: before a recording is silence.
    spectra = LogMel(LogMelSettings.model_validate(MEL))(np.pad(samples, (320, 0))).T[2:][: len(samples) // 160]
    told = 1 / (1 + np.exp(-(spectra[::8] @ EMBED @ TELL)))
    frames = -(-len(samples) // FRAME_SAMPLES)
    return np.concatenate([told, np.zeros((frames - len(told), SPEAKERS), np.float32)])


def told_together(model: OnnxSortformer, recordings: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Sessions that begin one call after another and end when they end, those of a moment in one call."""
    states = [model.initial_state() for _ in recordings]
    told: list[list[NDArray[np.float32]]] = [[] for _ in recordings]
    given, ended, turn = [0] * len(recordings), [False] * len(recordings), 0
    while not all(ended):
        work, own = [], []
        for i, samples in enumerate(recordings):
            if i <= turn and not ended[i]:
                end = given[i] + model.needed_samples(states[i])
                ended[i] = end > len(samples)
                work.append(StreamInput(samples[given[i] : end], states[i], ended[i]))
                given[i] = end
                own.append(i)
        turn += 1
        for i, (frames, state) in zip(own, model(work), strict=True):
            told[i].append(frames)
            states[i] = state
            assert len(state.audio.samples) <= model.latency_samples + 3 * FRAME_SAMPLES, "audio is let go of"
    return [np.concatenate(frames) for frames in told]


@pytest.mark.parametrize("latency", LATENCIES)
def test_every_frame_is_told_once_and_right_whatever_else_is_in_the_call(tmp_path: Path, latency: str) -> None:
    execution = Execution(device=onnx_device())
    model = OnnxSortformer(exported(tmp_path), execution, latency=latency, max_rows=8)
    recordings = [sound(seconds, i) for i, seconds in enumerate((31.07, 0.005, 12.8, 45.0, 0.08, 33.333))]
    for samples, frames in zip(recordings, told_together(model, recordings), strict=True):
        assert frames.shape == (-(-len(samples) // FRAME_SAMPLES), SPEAKERS)
        np.testing.assert_allclose(frames, right(samples), atol=2e-5)


def test_audio_that_completes_no_chunk_is_refused(tmp_path: Path) -> None:
    model = OnnxSortformer(exported(tmp_path))
    needed = model.needed_samples(model.initial_state())
    for count in (needed - 1, needed + 1):
        with pytest.raises(ValueError, match=f"{count} samples; expected the {needed} that complete a chunk"):
            model([StreamInput(np.zeros(count, np.float32), model.initial_state(), False)])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"task": "speech recognition"}, "task is 'speech recognition'; expected 'diarization'"),
        ({"sample_rate_hz": 8000}, "sample_rate_hz is 8000; expected 16000"),
        ({"subsampling": 4}, "subsampling is 4; expected 8"),
        ({"mel": {**MEL, "hop_samples": 80}}, "mel.hop_samples is 80; expected 160"),
        ({"mel": {**MEL, "normalise": "per_feature"}}, "mel.normalise is 'per_feature'; expected 'none'"),
        ({"max_speakers": 0}, "max_speakers: "),
        ({"streaming": {}}, "streaming.spkcache_sil_frames_per_spk: Field required"),
        (
            {"streaming": {**DESCRIPTION["streaming"], "spkcache_sil_frames_per_spk": 100}},
            "3 speakers with spkcache_sil_frames_per_spk 100 need a speaker cache of 303 frames",
        ),
        ({"dimension": WIDTH + 1}, "sortformer.onnx takes "),
        ({"max_speakers": SPEAKERS + 1}, "sortformer.onnx gives "),
        ({"mel": {**MEL, "bands": BANDS + 1}}, "sortformer.onnx takes "),
    ],
)
def test_a_description_that_does_not_fit_is_refused_with_the_field(
    tmp_path: Path, changes: dict[str, object], problem: str
) -> None:
    with pytest.raises(ModelUnfit) as refused:
        OnnxSortformer(exported(tmp_path, changes))
    assert problem in str(refused.value)


def test_a_graph_whose_sessions_hear_one_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnfit, match="with another in the same call"):
        OnnxSortformer(exported(tmp_path, probabilities=CROSS_TALK))


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    path = exported(tmp_path)
    with pytest.raises(ModelUnfit, match=r"latency: '1 s' is unknown; one of 0.32s"):
        OnnxSortformer(path, latency="1 s")
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ModelCorrupt, match="is not valid JSON"):
        OnnxSortformer(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelMissing, match=r"no sortformer\.json"):
        OnnxSortformer(path)
