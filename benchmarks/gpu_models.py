"""How the models beside the frame diarizer share calls, and what a call costs by size.

Models of NeMo have random weights and their published sizes, those of ONNX and Whisper are the default ones. What is
not installed is left out, and said. On any device:

    python -m benchmarks.gpu_models --device cuda --dtype bf16 --json models.json
    python -m benchmarks.gpu_models --device cpu --small
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.gpu_report import DTYPES, Report, describe
from benchmarks.model_cases import FAMILIES, Case, Wanted

LEAST_CALLS = 3


@dataclass(frozen=True, slots=True)
class CallCost:
    """What a call of a size costs; seconds."""

    model: str
    shared: str
    """How sessions share a call."""
    rows: int
    call_s: float
    """Median."""
    processor_s: float
    """Of all threads, on average; less than ``call_s`` where the GPU works."""
    row_s: float
    """``call_s`` over ``rows``."""
    speed: float
    """Seconds of audio a second."""


def cost_of(case: Case, rows: int, seconds: float) -> CallCost:
    """Measure calls with so many rows for so many seconds, at least three."""
    call = case.prepare(rows)
    call()  # the first one allocates
    durations_s: list[float] = []
    began, processor = time.perf_counter(), time.process_time()
    while len(durations_s) < LEAST_CALLS or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        call()
        durations_s.append(time.perf_counter() - start)
    call_s = float(np.median(durations_s))
    processor_s = (time.process_time() - processor) / len(durations_s)
    return CallCost(case.model, case.shared, rows, call_s, processor_s, call_s / rows, rows * case.audio_s / call_s)


def measure_models(
    wanted: Wanted,
    report: Report,
    *,
    families: tuple[str, ...] = tuple(FAMILIES),
    seconds: float = 1.0,
    may_go_on: Callable[[], bool] = lambda: True,
) -> None:
    """Measure each family of models, print its rows and report them as ``models``; ``left_out``: why one is missing."""
    print("model                          rows     a call   processor      a row  audio/time  shared by")
    for family in families:
        try:
            if not may_go_on():
                raise TimeoutError("time is up")
            for case in FAMILIES[family](wanted):
                for row in _rows_of(case, seconds, may_go_on):
                    print(
                        f"{row.model:29} {row.rows:5} {row.call_s * 1e3:7.1f} ms {row.processor_s * 1e3:8.1f} ms "
                        f"{row.row_s * 1e3:7.2f} ms {row.speed:11.1f}  {row.shared}",
                        flush=True,
                    )
                    report.append("models", asdict(row))
        except Exception as error:  # whatever it is: on a lent machine it must not end the others
            reason = " ".join(str(error).split())[:300]
            print(f"{family}: left out: {reason}", flush=True)
            report.append("left_out", {"models": family, "reason": reason})


def _rows_of(case: Case, seconds: float, may_go_on: Callable[[], bool]) -> Iterator[CallCost]:
    for rows in case.rows:
        if may_go_on():
            yield cost_of(case, rows, seconds)


def main() -> None:
    """Measures, prints the table and writes ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_models", description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="fp32", help="of models of NeMo")
    parser.add_argument(
        "--models", nargs="+", choices=tuple(FAMILIES), default=tuple(FAMILIES), help="which to measure"
    )
    parser.add_argument("--small", action="store_true", help="use miniature models of NeMo, and small calls")
    parser.add_argument("--seconds", type=float, default=1, help="duration of each trial")
    parser.add_argument("--minutes", type=float, default=5, help="no new trial begins after this")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file, as they come")
    options = parser.parse_args()
    report, deadline = Report(options.json), time.monotonic() + options.minutes * 60
    report.add("circumstances", describe())
    report.add("options", {name: value for name, value in vars(options).items() if name != "json"})
    wanted = Wanted(options.device, DTYPES[options.dtype], options.small)
    measure_models(
        wanted,
        report,
        families=tuple(options.models),
        seconds=options.seconds,
        may_go_on=lambda: time.monotonic() < deadline,
    )


if __name__ == "__main__":
    # torch's default of a thread for each core makes a busy machine slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
