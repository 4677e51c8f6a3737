"""Who is said to speak while music plays, machines run, a crowd cheers or a television talks?

    python -m benchmarks.not_speakers [--json FILE]

Dialogues of two and three LibriSpeech readers in which something else sounds, either by itself for 10 s between two
parts of the meeting, as loud as the speech, or all along, 15 dB under it; a television is 22 dB under it and across
the room in both. Of each kind of sound: how many speakers more are found than speak; in how many meetings somebody is
found who speaks mostly where nobody does, and for how long; how long speech is told where nobody speaks; and the
diarization error rate without a collar. Who talks on a television is nobody here.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.diarization_runs import Method, Recordings
from benchmarks.disturbed_meetings import DisturbedMeeting, meetings, spoken_share
from benchmarks.printed_rows import print_rows
from benchmarks.recordings import EVAL
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import SpokenInterval


@dataclass(frozen=True, slots=True)
class MeetingResult:
    """What is told of a meeting."""

    kind: str
    layout: str
    name: str
    extra_speakers: int
    """How many more are found than speak; negative where fewer are."""
    false_speakers: int
    """Of those found: who speaks mostly where nobody does."""
    false_speaker_s: float
    nobody_s: float
    """Speech told where nobody speaks, whoever is said to."""
    der: float


def score_meeting(meeting: DisturbedMeeting, found: list[SpokenInterval], der: float) -> MeetingResult:
    """Compares what is found with who speaks."""
    truth = meeting.case.truth
    nobody_s: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for interval in found:
        length_s = interval.end_s - interval.start_s
        seconds[interval.speaker] = seconds.get(interval.speaker, 0.0) + length_s
        unspoken_s = (1 - spoken_share(truth, interval.start_s, interval.end_s)) * length_s
        nobody_s[interval.speaker] = nobody_s.get(interval.speaker, 0.0) + unspoken_s
    false = [speaker for speaker in seconds if nobody_s[speaker] > seconds[speaker] / 2]
    return MeetingResult(
        meeting.kind,
        meeting.layout,
        meeting.case.name,
        len(seconds) - len({spoken.speaker for spoken in truth}),
        len(false),
        round(sum(seconds[speaker] for speaker in false), 2),
        round(sum(nobody_s.values()), 2),
        round(der, 2),
    )


def by_kind(results: list[MeetingResult]) -> list[dict[str, Any]]:
    """Means over the meetings of each kind and layout."""
    groups: dict[tuple[str, str], list[MeetingResult]] = {}
    for result in results:
        groups.setdefault((result.kind, result.layout), []).append(result)
    return [
        {
            "kind": kind,
            "layout": layout,
            "meetings": len(group),
            "extra_speakers": round(fmean(result.extra_speakers for result in group), 2),
            "with_false_speaker": sum(result.false_speakers > 0 for result in group),
            "false_speaker_s": round(fmean(result.false_speaker_s for result in group), 1),
            "nobody_s": round(fmean(result.nobody_s for result in group), 1),
            "der": round(fmean(result.der for result in group), 1),
        }
        for (kind, layout), group in sorted(groups.items())
    ]


def measure() -> list[MeetingResult]:
    """Of every meeting."""
    disturbed = list(meetings())
    recordings = Recordings([meeting.case for meeting in disturbed])
    results = []
    for number, meeting in enumerate(disturbed):
        found = recordings.diarize(number, Method())
        results.append(score_meeting(meeting, found, recordings.score(number, found).der))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.not_speakers", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not (EVAL / "librispeech").is_dir():
        print(f"no evaluation recordings in {EVAL}", file=sys.stderr)
        return 2
    ensure_scorers()
    results = measure()
    rows = by_kind(results)
    print_rows(rows)
    if options.json:
        figures = {"by_kind": rows, "meetings": [asdict(result) for result in results], **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
