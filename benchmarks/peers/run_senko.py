"""Runs in a virtual environment of its own: senko as it comes, on the CPU.

python run_senko.py JOBS ANSWERS; see ``benchmarks.peers.__main__``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import senko


def main(jobs: Path, answers: Path) -> None:
    diarizer = senko.Diarizer(device="cpu", vad="silero", warmup=False, quiet=True)
    found = []
    for job in json.loads(jobs.read_text()):
        result = diarizer.diarize(job["wav"], generate_colors=False)
        turns = result["merged_segments"] if result else []
        found.append([[turn["start"], turn["end"], turn["speaker"]] for turn in turns])
    answers.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
