"""How often are several voices on a participant's track told, and how often is one person taken for several?

    python -m benchmarks.several_voices [--json FILE]

LibriSpeech readers on tracks of one person, by the way that they are recorded. One person: each reader alone, and each
reader who changes in the middle from a close microphone to that way, and back. Two people: each pair of readers at one
microphone, who take turns of up to eight windows. The windows come one by one, and are looked at as in a live session.
And the processor time of all looks at as much speech as a long meeting has.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.diarization_data import Case
from benchmarks.diarization_runs import Recordings
from benchmarks.microphones import CONDITIONS
from benchmarks.printed_rows import print_rows
from benchmarks.recordings import EVAL, read_samples, read_speech
from benchmarks.running_system import circumstances
from inference.diarization import SeveralVoices
from inference.onnx.speakers.campplus_encoder import PROFILE

Vectors = NDArray[np.float32]
WAYS = ("close", "25 dB quieter", "Opus, 12 kbit/s", "far, T60 0.4 s", "telephone")
TURN_WINDOWS = 8
LONG_MEETING_H = 12


def embed(readers: dict[str, list[Path]], way: str) -> list[Vectors]:
    """The vectors of each reader's windows, recorded in a way."""
    sounds = [np.concatenate([read_samples(path) for path in paths]) for _, paths in sorted(readers.items())]
    condition = CONDITIONS[way]
    recordings = Recordings([Case(way, condition(samples, seed), ()) for seed, samples in enumerate(sounds)])
    print(f"heard: {way}", file=sys.stderr, flush=True)
    return [recordings.windows(number)[1] for number in range(len(sounds))]


def is_told(vectors: Vectors) -> bool:
    """Whether a session that hears these windows, one by one, tells several voices."""
    suspicion = SeveralVoices(PROFILE)
    for count in range(1, len(vectors) + 1):
        if suspicion.is_due(count):
            suspicion.look(vectors[:count])
    return suspicion.found


def turns(first: Vectors, second: Vectors) -> Vectors:
    """Both in turn."""
    starts = range(0, max(len(first), len(second)), TURN_WINDOWS)
    return np.concatenate([one[start : start + TURN_WINDOWS] for start in starts for one in (first, second)])


def by_way(windows: dict[str, list[Vectors]]) -> list[dict[str, Any]]:
    """How many of how many are told, for each way."""
    rows = []
    for way, readers in windows.items():
        close = windows["close"]
        changed = [np.concatenate(pair) for pair in zip(close, readers, strict=True)]
        changed += [np.concatenate(pair) for pair in zip(readers, close, strict=True)]
        people = {
            "one person": readers,
            "one who changes": changed if way != "close" else [],
            "two people": [turns(*pair) for pair in combinations(readers, 2)],
        }
        told = {name: f"{sum(map(is_told, cases))} of {len(cases)}" for name, cases in people.items()}
        rows.append({"way": way, **told})
    return rows


def processor_ms(vectors: Vectors) -> float:
    """Processor time of all looks in a meeting in which one person speaks for 12 h, milliseconds."""
    count = round(LONG_MEETING_H * 3600 / PROFILE.hop_s)
    repeated = np.tile(vectors, (-(-count // len(vectors)), 1))[:count]
    before = time.process_time()
    is_told(repeated)
    return 1000 * (time.process_time() - before)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.several_voices", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not (EVAL / "librispeech").is_dir():
        print(f"no evaluation recordings in {EVAL}", file=sys.stderr)
        return 2
    readers = read_speech(EVAL / "librispeech")
    windows = {way: embed(readers, way) for way in WAYS}
    rows = by_way(windows)
    print_rows(rows)
    looks_ms = round(processor_ms(windows["close"][0]))
    print(f"looks in {LONG_MEETING_H} h of speech: {looks_ms} ms of processor time")
    if options.json:
        figures = {"by_way": rows, "looks_ms": looks_ms, **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
