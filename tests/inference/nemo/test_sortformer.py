"""Many sessions at once tell the frames that NeMo's own diarize() tells of each recording alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.models import FrameDiarizer, ModelUnfit, StreamInput
from tests.devices import torch_device
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

import torch

from inference.nemo import load_sortformer
from inference.nemo.buckets import Buckets
from inference.nemo.passes import BucketedPasses
from inference.nemo.sortformer import SortformerDiarizer, apply_settings
from inference.sortformer.latency import FRAME_SAMPLES, LATENCIES, StreamingSettings, settings_for
from tests.inference.nemo.tiny_models import recording, sortformer

pytestmark = pytest.mark.usefixtures("nemo")

# Caches so small that they fill and are compressed again and again within seconds.
LOW = StreamingSettings(chunk=6, right_context=7, fifo=14, update_period=10, speaker_cache=40)
ULTRA_LOW = StreamingSettings(chunk=3, right_context=1, fifo=20, update_period=15, speaker_cache=44)
HIGH = StreamingSettings(chunk=24, right_context=1, fifo=24, update_period=24, speaker_cache=48)
VERY_HIGH = StreamingSettings(chunk=34, right_context=4, fifo=4, update_period=30, speaker_cache=60)
NO_FIFO = StreamingSettings(chunk=10, right_context=0, fifo=0, update_period=10, speaker_cache=36)
FOUR = {"low": LOW, "ultra low": ULTRA_LOW, "high": HIGH, "very high": VERY_HIGH, "no fifo": NO_FIFO}
EIGHT = {
    "low": StreamingSettings(chunk=9, right_context=4, fifo=14, update_period=12, speaker_cache=64),
    "very high": StreamingSettings(chunk=34, right_context=4, fifo=4, update_period=30, speaker_cache=70),
}
FIXED = Buckets((1, 4, 16, 32), (40, 80))
# 4e-6 was seen; a wrong frame of context, or a frame of the cache that is another, makes 1e-2 and more.
BOUND = 1e-4


@cache
def model(speakers: int) -> Any:
    return sortformer(speakers)


def diarizer_with(
    settings: StreamingSettings, *, speakers: int = 4, centred: bool = False, **others: Any
) -> SortformerDiarizer:
    """A diarizer with the same model built anew, as it changes it: NeMo's own is compared as NeMo made it."""
    return SortformerDiarizer(sortformer(speakers, centred=centred).to(torch_device()), settings, **others)


@cache
def told_by_nemo(speakers: int, settings: StreamingSettings, seconds: float, seed: int) -> NDArray[np.float32]:
    """What NeMo tells of a recording, all of it at once, shape (frames, speakers)."""
    own = model(speakers)
    apply_settings(own, settings, "NeMo's")
    assert own.streaming_mode
    assert not own.async_streaming
    _, probabilities = own.diarize(
        audio=recording(seconds, seed), sample_rate=16000, include_tensor_outputs=True, verbose=False
    )
    return np.asarray(probabilities[0][0])


def told_in_turns(
    diarizer: FrameDiarizer, recordings: Sequence[NDArray[np.float32]], begins: Sequence[int]
) -> tuple[list[NDArray[np.float32]], list[Any], int]:
    """The frames of each, when recording i begins at call begins[i]; the states at the end; the largest call."""
    states = [diarizer.initial_state() for _ in recordings]
    given, largest, call = [0] * len(recordings), 0, 0
    told: list[list[NDArray[np.float32]]] = [[] for _ in recordings]
    while any(count < len(sound) for count, sound in zip(given, recordings, strict=True)):
        here = [i for i, sound in enumerate(recordings) if begins[i] <= call and given[i] < len(sound)]
        work = []
        for i in here:
            samples = recordings[i][given[i] : given[i] + diarizer.needed_samples(states[i])]
            given[i] += len(samples)
            work.append(StreamInput(samples, states[i], last=given[i] == len(recordings[i])))
        for i, (frames, state) in zip(here, diarizer(work) if work else [], strict=True):
            told[i].append(frames)
            states[i] = state
            assert len(frames) > 0, "a call completes a chunk"
            behind = given[i] - FRAME_SAMPLES * sum(map(len, told[i]))
            assert behind < diarizer.latency_samples
        largest, call = max(largest, len(here)), call + 1
    return [np.concatenate(frames) for frames in told], states, largest


@pytest.mark.parametrize(
    ("speakers", "settings"),
    [(4, FOUR[name]) for name in FOUR] + [(8, EIGHT[name]) for name in EIGHT],
    ids=[f"4 speakers, {name}" for name in FOUR] + [f"8 speakers, {name}" for name in EIGHT],
)
def test_seven_sessions_of_different_ages_get_the_frames_of_nemo(speakers: int, settings: StreamingSettings) -> None:
    seconds = [13.0, 7.777, 19.23, 0.31, 15.0001, 3.84, 9.999]
    diarizer = diarizer_with(settings, speakers=speakers, max_rows=7)
    # Of some seconds between 0 and 10, in calls of a chunk each.
    begins = [6 * begin // settings.chunk for begin in (0, 11, 3, 5, 0, 20, 8)]
    told, states, largest = told_in_turns(
        diarizer, [recording(length, seed) for seed, length in enumerate(seconds)], begins
    )
    assert largest >= 4
    for seed, (length, frames) in enumerate(zip(seconds, told, strict=True)):
        expected = told_by_nemo(speakers, settings, length, seed)
        assert len(frames) == -(-round(length * 16000) // FRAME_SAMPLES)
        assert np.abs(frames[: len(expected)] - expected).max() < BOUND
    # Without these the test would say little: the cache was compressed, silence was met, and frames differ.
    longest = states[2]
    assert len(longest.cache) == settings.speaker_cache
    assert longest.cache_probabilities is not None
    assert int(longest.silent_frames) > 0
    assert told[2].std(0).min() > 0.05


@pytest.mark.parametrize("sessions", [1, 32])
def test_a_call_of_any_size_tells_what_nemo_tells(sessions: int) -> None:
    seconds = [6.4 + 0.137 * number for number in range(sessions)]
    diarizer = diarizer_with(LOW, max_rows=sessions)
    told, _, largest = told_in_turns(
        diarizer, [recording(length, seed) for seed, length in enumerate(seconds)], [n // 4 for n in range(sessions)]
    )
    assert largest == sessions
    for seed, (length, frames) in enumerate(zip(seconds, told, strict=True)):
        expected = told_by_nemo(4, LOW, length, seed)
        assert np.abs(frames[: len(expected)] - expected).max() < BOUND


def test_rows_split_over_several_passes_are_the_same() -> None:
    sounds = [recording(5, seed) for seed in range(5)]
    together, _, _ = told_in_turns(diarizer_with(LOW, max_rows=5), sounds, [0] * 5)
    apart, _, _ = told_in_turns(diarizer_with(LOW, max_rows=2), sounds, [0] * 5)
    for one, other in zip(together, apart, strict=True):
        assert np.abs(one - other).max() < BOUND


def test_the_caches_matter_to_what_is_told() -> None:
    """Else the comparisons above would not see a cache that is wrong."""
    forgetful = StreamingSettings(chunk=6, right_context=7, fifo=14, update_period=10, speaker_cache=16)
    sound = [recording(13.0, 0)]
    one, _, _ = told_in_turns(diarizer_with(forgetful), sound, [0])
    assert np.abs(one[0] - told_by_nemo(4, LOW, 13.0, 0)[: len(one[0])]).max() > 0.01


def test_a_call_done_again_tells_the_same() -> None:
    """Batching repeats a failed call row by row: states are never changed in place."""
    diarizer = diarizer_with(NO_FIFO)
    sound, state = recording(8, 3), diarizer.initial_state()
    start = 0
    while start + (needed := diarizer.needed_samples(state)) < len(sound):
        work = [StreamInput(sound[start : start + needed], state)]
        ((first, state),), ((again, _),) = diarizer(work), diarizer(work)
        assert np.array_equal(first, again)
        start += needed
    assert start > 0


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 1279, 1281])
def test_the_shortest_recordings_are_covered(samples: int) -> None:
    diarizer = diarizer_with(LOW)
    sound = recording(1, 0)[:samples]
    ((frames, _),) = diarizer([StreamInput(sound, diarizer.initial_state(), last=True)])
    assert frames.shape == (-(-samples // FRAME_SAMPLES), 4)
    assert frames.dtype == np.float32


def test_wrong_lengths_are_refused() -> None:
    diarizer = diarizer_with(LOW)
    needed = diarizer.needed_samples(diarizer.initial_state())
    for count in (needed - 1, needed + 1):
        with pytest.raises(ValueError, match="fewer only with last"):
            diarizer([StreamInput(np.zeros(count, np.float32), diarizer.initial_state())])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_stays_close(dtype: str) -> None:
    diarizer = diarizer_with(LOW, dtype=dtype)
    told, states, _ = told_in_turns(diarizer, [recording(6.4, 0)], [0])
    expected = told_by_nemo(4, LOW, 6.4, 0)
    assert states[0].fifo.dtype == torch.float32
    assert np.isfinite(told[0]).all()
    # The last layer here is enlarged, and rounding with it; that speakers are the same is what matters.
    assert ((told[0] > 0.5) == (expected > 0.5)).mean() > 0.9


def test_half_precision_decides_the_same_for_a_session_alone_and_among_others() -> None:
    """Sessions join and leave; of up to 7 in a call, and of up to 32 at fixed sizes.

    In 16 bits, sums in another order differ. Random weights give probabilities near 0.5 to many frames, as training
    does not: those decisions may change.
    """
    sounds = [recording((7 if number < 4 else 3) + 0.31 * (number % 9), number) for number in range(32)]
    alone = diarizer_with(LOW, dtype="bfloat16", max_rows=1, centred=True)
    expected = [told_in_turns(alone, [sound], [0])[0][0] for sound in sounds]
    for sessions in (7, 32):
        diarizer = diarizer_with(LOW, dtype="bfloat16", max_rows=sessions, centred=True)
        if sessions == 32:
            use_fixed_sizes(diarizer)
        told, _, largest = told_in_turns(diarizer, sounds[:sessions], [number // 8 for number in range(sessions)])
        assert largest > sessions // 2
        among, by_itself = np.concatenate(told).ravel(), np.concatenate(expected[:sessions]).ravel()
        same, clear = (among > 0.5) == (by_itself > 0.5), np.abs(by_itself - 0.5) > 0.15
        assert same.mean() >= 0.99
        assert same[clear].mean() >= 0.999
        assert clear.mean() > 0.8


def use_fixed_sizes(diarizer: SortformerDiarizer, buckets: Buckets = FIXED) -> set[tuple[int, int]]:
    """Make it use passes of few fixed sizes, as on a GPU, computed as on any device; return where sizes are noted."""
    used: set[tuple[int, int]] = set()

    def run(frames: Any, lengths: Any) -> Any:
        used.add(tuple(frames.shape[:2]))
        return diarizer._network.probabilities(frames, lengths)

    diarizer._lanes, diarizer._eager = None, BucketedPasses(run, dict.fromkeys(buckets, run), buckets)
    return used


def test_padding_to_fixed_sizes_changes_nothing() -> None:
    sounds = [recording(6 + 0.7 * seed, seed) for seed in range(7)]
    begins = [0, 3, 1, 5, 0, 2, 8]
    diarizer = diarizer_with(LOW, max_rows=7)
    used = use_fixed_sizes(diarizer)
    told, _, _ = told_in_turns(diarizer, sounds, begins)
    assert {rows for rows, _ in used} == {1, 4, 16}
    assert {frames for _, frames in used} == {40, 80}
    for seed, (frames, sound) in enumerate(zip(told, sounds, strict=True)):
        expected = told_by_nemo(4, LOW, len(sound) / 16000, seed)
        assert np.abs(frames[: len(expected)] - expected).max() < BOUND


def test_frames_of_a_pass_are_a_multiple_of_eight() -> None:
    """Else a GPU's matrix products take slow kernels."""
    diarizer = diarizer_with(LOW, max_rows=2)
    lengths: set[int] = set()
    forward = diarizer._network.probabilities

    def noted(frames: Any, row_lengths: Any) -> Any:
        lengths.add(frames.shape[1])
        return forward(frames, row_lengths)

    diarizer._lanes, diarizer._eager = None, BucketedPasses(noted)
    told_in_turns(diarizer, [recording(9, 0), recording(7, 1)], [0, 2])
    assert len(lengths) > 3
    assert not [length for length in lengths if length % 8]


def test_a_session_of_nonsense_disturbs_no_other_and_no_later_call() -> None:
    """Samples that are no numbers make frames that are none, of their own session alone."""
    diarizer = diarizer_with(LOW, max_rows=4)
    use_fixed_sizes(diarizer)
    sound = recording(4, 0)
    needed = diarizer.needed_samples(diarizer.initial_state())
    ((alone, _),) = diarizer([StreamInput(sound[:needed], diarizer.initial_state())])
    bad = np.full(needed, np.nan, np.float32)
    (_, (beside, _)) = diarizer([StreamInput(samples, diarizer.initial_state()) for samples in (bad, sound[:needed])])
    ((after, _),) = diarizer([StreamInput(sound[:needed], diarizer.initial_state())])
    assert np.abs(beside - alone).max() < BOUND
    assert np.array_equal(after, alone)


def test_calls_at_the_same_time_do_not_disturb_one_another() -> None:
    """As two do on a GPU: what they share is never changed."""
    diarizer = diarizer_with(LOW, max_rows=4)
    groups = [[recording(4 + 0.3 * number, 10 * group + number) for number in range(4)] for group in range(3)]
    one_after_another = [told_in_turns(diarizer, sounds, [0] * 4)[0] for sounds in groups]
    with ThreadPoolExecutor(3) as threads:
        at_once = list(threads.map(lambda sounds: told_in_turns(diarizer, sounds, [0] * 4)[0], groups))
    for expected, found in zip(one_after_another, at_once, strict=True):
        for one, other in zip(expected, found, strict=True):
            assert np.array_equal(one, other) or torch_device() == "cuda"


def test_float32_is_not_rounded_to_tf32() -> None:
    """With it in convolutions, frames differed by 1.5e-3 on a GPU."""
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_checkpoint_is_loaded_and_tells_the_same(sortformer_file: Path) -> None:
    diarizer = load_sortformer(sortformer_file, latency="1.04s", device=torch_device(), dtype="float32")
    assert diarizer.max_speakers == 4
    told, _, _ = told_in_turns(diarizer, [recording(3, 0)], [0])
    expected = told_by_nemo(4, settings_for("1.04s", 4), 3, 0)
    assert np.abs(told[0][: len(expected)] - expected).max() < BOUND


@pytest.mark.parametrize(
    ("setting", "wrong"), [("latency", "2s"), ("device", "tpu"), ("dtype", "int8")], ids=["latency", "device", "dtype"]
)
def test_an_unknown_setting_is_named(sortformer_file: Path, setting: str, wrong: str) -> None:
    settings: dict[str, Any] = {"latency": "1.04s", "device": "cpu", "dtype": "float32", setting: wrong}
    with pytest.raises(ModelUnfit, match=f"{setting}: '{wrong}' is unknown"):
        load_sortformer(sortformer_file, **settings)


def test_an_offline_sortformer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "offline.nemo"
    sortformer(streaming=False).save_to(str(path))
    with pytest.raises(ModelUnfit, match="whole recordings only"):
        load_sortformer(path, latency="1.04s", device="cpu", dtype="float32")


@pytest.mark.parametrize("speakers", [4, 8])
@pytest.mark.parametrize("latency", LATENCIES)
def test_the_latency_is_what_its_name_says(latency: str, speakers: int) -> None:
    settings = settings_for(latency, speakers)
    assert (settings.chunk + settings.right_context) * 0.08 == pytest.approx(float(latency[:-1]), rel=0.01)
    # The last spectrum reaches 2.5 ms further.
    assert settings.latency_samples / 16000 == pytest.approx(float(latency[:-1]) + 0.0025, rel=0.01)
