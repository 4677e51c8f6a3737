"""Whether a session is told the same alone and among others, in 16 bits: decisions of a trained miniature Sortformer.

Sessions of different lengths join and leave; caches are so small that they are compressed again and again. Each size of
a call is compared with the same model, in the same format, run one session at a time.

    python -m benchmarks.gpu_agreement --dtype bf16 [--device cuda] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu_report import DTYPES, Report, describe
from benchmarks.trained_sortformer import conversation, trained_sortformer, with_weights_of
from inference.models import Samples, StreamInput
from inference.sortformer import StreamingSettings

SETTINGS = StreamingSettings(chunk=6, right_context=7, fifo=14, update_period=10, speaker_cache=40)
SESSIONS = (1, 7, 32, 128)
SHORTEST_S, STEP_S = 6.0, 0.31
# Sessions that begin together; others join this many calls later.
JOINING_AT_ONCE, CALLS_BETWEEN = 16, 2
Frames = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Decisions (0.5) of sessions in shared calls, beside those of each alone."""

    sessions: int
    largest_call: int
    decisions: int
    equal: float
    """Share."""
    correct: float
    """Share of decisions that are those of who made the conversation: that the model knows what it hears."""


def told(diarizer: Any, sounds: Sequence[Samples], begins: Sequence[int]) -> tuple[list[Frames], int]:
    """The frames of each session, when session i joins at call begins[i]; and the size of the largest call."""
    states = [diarizer.initial_state() for _ in sounds]
    given, call, largest = [0] * len(sounds), 0, 0
    found: list[list[Frames]] = [[] for _ in sounds]
    while any(count < len(sound) for count, sound in zip(given, sounds, strict=True)):
        work, here = [], []
        for number, sound in enumerate(sounds):
            if begins[number] <= call and given[number] < len(sound):
                samples = sound[given[number] : given[number] + diarizer.needed_samples(states[number])]
                given[number] += len(samples)
                work.append(StreamInput(samples, states[number], last=given[number] == len(sound)))
                here.append(number)
        for number, (frames, state) in zip(here, diarizer(work) if work else [], strict=True):
            found[number].append(frames)
            states[number] = state
        call, largest = call + 1, max(largest, len(here))
    return [np.concatenate(frames) for frames in found], largest


def compare(model: Any, dtype: str, sessions: Sequence[int] = SESSIONS) -> list[Agreement]:
    """Compare calls with so many sessions; ``model``: float32, on its device."""
    from inference.nemo.buckets import buckets_for
    from inference.nemo.sortformer import SortformerDiarizer

    lengths_s = [SHORTEST_S + STEP_S * (number % 13) for number in range(max(sessions))]
    made = [conversation(length_s, seed=number) for number, length_s in enumerate(lengths_s)]
    sounds = [sound for sound, _ in made]
    alone = SortformerDiarizer(with_weights_of(model), SETTINGS, dtype=dtype, max_rows=1)
    expected = [told(alone, [sound], [0])[0][0] > 0.5 for sound in sounds]
    results = []
    for count in sessions:
        buckets = buckets_for(count, SETTINGS.max_frames)
        diarizer = SortformerDiarizer(
            with_weights_of(model), SETTINGS, dtype=dtype, max_rows=count, compiled=True, buckets=buckets
        )
        begins = [number // JOINING_AT_ONCE * CALLS_BETWEEN for number in range(count)]
        frames, largest = told(diarizer, sounds[:count], begins)
        same = np.concatenate([(a > 0.5) == b for a, b in zip(frames, expected[:count], strict=True)])
        right = np.concatenate(
            [(a > 0.5)[: len(speaks)] == speaks[: len(a)] for a, (_, speaks) in zip(frames, made[:count], strict=True)]
        )
        results.append(Agreement(count, largest, same.size, float(same.mean()), float(right.mean())))
    return results


def main() -> None:
    """Trains, compares, prints a table and writes ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_agreement", description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="bf16")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file, as they come")
    options = parser.parse_args()
    report = Report(options.json)
    report.add("circumstances", describe())
    measure_agreement(options.device, DTYPES[options.dtype], report)


def measure_agreement(device: str, dtype: str, report: Report) -> None:
    """Train a model, and print and report ``trained_agreement``."""
    from inference.nemo import import_nemo, torch_device

    import_nemo()
    began = time.monotonic()
    model, loss = trained_sortformer()
    trained_s = time.monotonic() - began
    report.add("trained", {"seconds": trained_s, "loss": loss})
    print(f"trained in {trained_s:.0f} s, loss {loss:.3f}\nsessions largest call  decisions    equal  correct")
    model.to(torch_device(device))
    for row in compare(model, dtype):
        print(
            f"{row.sessions:8} {row.largest_call:12} {row.decisions:10} {row.equal:8.3%} {row.correct:8.2%}", flush=True
        )
        report.append("trained_agreement", {"dtype": dtype, **asdict(row)})


if __name__ == "__main__":
    # torch's default of a thread for each core makes a busy machine slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
