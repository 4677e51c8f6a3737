"""Other engines beside ours on recordings with ground truth.

    python -m benchmarks.peers [--data DIR ...] [--peer NAME ...] [--json FILE]

Each is installed into a virtual environment of its own, for this run, and runs on the CPU as it comes;
``pyannote-like`` is pyannote.audio's pipeline on the weights that ours has, at several distances of its clustering. DER
in percent: overlap scored, the whole file, no collar. Ours is the default method on the same files.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.accuracy import DEFAULT_DATA
from benchmarks.diarization_data import Case, recorded
from benchmarks.diarization_runs import Method, Recordings
from benchmarks.peers.pyannote_like import PyannoteLike
from benchmarks.recordings import write_wav
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import SpokenInterval, diarization_error_rate
from inference.catalogue import CAMPPLUS, SEGMENTATION, locate
from inference.onnx.speakers import CampplusEncoder, PyannoteSegmenter

HERE = Path(__file__).parent
MEETRA, PYANNOTE_LIKE = "meetra, default", "pyannote-like"
DISTANCES = (0.6, 0.7046, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Peer:
    """An engine that runs from its packages alone."""

    requirements: tuple[str, ...]
    script: str


PEERS = {
    "senko": Peer(("senko==0.2.2",), "run_senko.py"),
    "pyAudioAnalysis": Peer(
        ("pyAudioAnalysis==0.3.14", "hmmlearn", "eyed3", "pydub", "imbalanced-learn", "plotly", "tqdm", "matplotlib"),
        "run_pyaudioanalysis.py",
    ),
}


def run_peer(peer: Peer, jobs: list[dict[str, Any]], folder: Path) -> list[list[SpokenInterval]]:
    """Who speaks when in each recording. Raises subprocess.CalledProcessError where the peer fails."""
    home = folder / peer.script.removesuffix(".py")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *peer.requirements], check=True)
    jobs_file, answers_file = home / "jobs.json", home / "answers.json"
    jobs_file.write_text(json.dumps(jobs))
    subprocess.run(
        [python, HERE / peer.script, jobs_file, answers_file], check=True, cwd=home, stdout=subprocess.DEVNULL
    )
    return [[SpokenInterval(*turn) for turn in turns] for turns in json.loads(answers_file.read_text())]


def run_pyannote_like(cases: list[Case]) -> dict[str, list[list[SpokenInterval]]]:
    """Who speaks when in each recording, by distance."""
    models = PyannoteSegmenter(locate(SEGMENTATION)), CampplusEncoder(locate(CAMPPLUS))
    heard = [PyannoteLike(*models, case.samples) for case in cases]
    return {
        f"{PYANNOTE_LIKE}, {distance:g}": [recording.diarize(distance) for recording in heard] for distance in DISTANCES
    }


def diarization_error_rates(cases: list[Case], found: list[list[SpokenInterval]]) -> dict[str, float]:
    """DER of each recording, percent."""
    return {
        case.name: round(diarization_error_rate(case.truth, turns, case.duration_s, 0.0), 2)
        for case, turns in zip(cases, found, strict=True)
    }


def measure(folders: list[Path], names: list[str]) -> dict[str, dict[str, dict[str, float]]]:
    """Rates by engine, folder and recording."""
    rates: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="meetra-peers-") as temporary:
        cases_by_folder = {folder: recorded(folder) for folder in folders}
        cases = [case for found in cases_by_folder.values() for case in found]
        recordings = Recordings(cases)
        wavs = [write_wav(case.samples, Path(temporary) / f"{number}.wav") for number, case in enumerate(cases)]
        jobs = [
            {
                "name": cases[number].name,
                "wav": str(wav),
                "speech": [(s.start_s, s.end_s) for s in recordings.speech(number)],
            }
            for number, (case, wav) in enumerate(zip(cases, wavs, strict=True))
        ]
        found = {MEETRA: [recordings.diarize(number, Method()) for number in range(len(cases))]}
        found |= {name: run_peer(PEERS[name], jobs, Path(temporary)) for name in names if name in PEERS}
        if PYANNOTE_LIKE in names:
            found |= run_pyannote_like(cases)
        for name, turns in found.items():
            rest = iter(turns)
            rates[name] = {
                folder.name: diarization_error_rates(own, [next(rest) for _ in own])
                for folder, own in cases_by_folder.items()
            }
    return rates


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", default=list(DEFAULT_DATA), help="folders of recordings")
    peers = sorted([*PEERS, PYANNOTE_LIKE])
    parser.add_argument("--peer", nargs="+", choices=peers, default=peers, help="run only these peers")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    ensure_scorers()
    rates = measure(options.data, options.peer)
    for name, by_folder in rates.items():
        means = {folder: fmean(rows.values()) for folder, rows in by_folder.items()}
        together = fmean(rate for rows in by_folder.values() for rate in rows.values())
        print(f"{name:<22}" + "".join(f"{f} {m:.2f}  " for f, m in means.items()) + f"all {together:.2f}")
        print("  " + ", ".join(f"{case} {rate:.1f}" for rows in by_folder.values() for case, rate in rows.items()))
    if options.json:
        options.json.write_text(json.dumps({"der": rates, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
