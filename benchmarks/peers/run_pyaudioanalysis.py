"""Runs in a virtual environment of its own: pyAudioAnalysis as it comes, kept to the speech that it is given.

python run_pyaudioanalysis.py JOBS ANSWERS; see ``benchmarks.peers.__main__``. It labels every moment of a recording,
silence as well: it has no detector of speech. Where it fails on a recording, one speaker is taken to speak throughout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyAudioAnalysis import audioSegmentation

STEP_S = 0.1


def labelled(labels: list[int], start_s: float, end_s: float) -> list[tuple[float, float, str]]:
    """The turns within one span of speech."""
    turns: list[tuple[float, float, str]] = []
    at_s = start_s
    while at_s < end_s:
        index = min(int(at_s / STEP_S + 1e-6), len(labels) - 1)
        until_s = min(end_s, (index + 1) * STEP_S) if index < len(labels) - 1 else end_s
        speaker = str(labels[index])
        if turns and turns[-1][2] == speaker:
            turns[-1] = (turns[-1][0], until_s, speaker)
        else:
            turns.append((at_s, until_s, speaker))
        at_s = until_s
    return turns


def main(jobs: Path, answers: Path) -> None:
    found = []
    for job in json.loads(jobs.read_text()):
        try:
            # n_speakers=0: it estimates their number.
            labels, *_ = audioSegmentation.speaker_diarization(job["wav"], 0, mid_step=STEP_S)
        except ValueError as error:
            print(f"{job['name']}: pyAudioAnalysis fails: {error}", file=sys.stderr)
            labels = [0]
        found.append([turn for start_s, end_s in job["speech"] for turn in labelled(list(labels), start_s, end_s)])
    answers.write_text(json.dumps(found, default=int))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
