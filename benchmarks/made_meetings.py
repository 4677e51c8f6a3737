"""Twenty meetings of 5 to 20 minutes, made of the evaluation data with a seed: half to tune on, half to judge by.

    python -m benchmarks.made_meetings [--half HALF] [--meetings N]

Two to five people who read LibriSpeech have the floor. Guests, one a language, and the people of AMI clips, which
are put between, say little. Turns, words beside them, overlap, levels and rooms are as various as in real meetings,
which no meeting made so is: readers read. The halves share no speaker. The default diarization is scored on them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

import numpy as np

from benchmarks.diarization_data import Case, concatenated, excerpt, recorded
from benchmarks.diarization_runs import Method, Recordings, Scores, mean_scores
from benchmarks.made_dialogues import Room, TalkStyle, dialogue
from benchmarks.recordings import EVAL, read_speech
from benchmarks.scorers import ensure_scorers


class Half(IntEnum):
    """Of the speakers."""

    TUNING = 0
    HELD_OUT = 1


@dataclass(frozen=True, slots=True)
class MeetingPlan:
    """A meeting to make."""

    minutes: float
    hosts: int
    """Readers, who speak most."""
    guests: int
    """Who have one or two utterances of their own, and speak least."""
    clips: int
    """AMI clips put between."""
    room: Room
    style: TalkStyle


TALK = TalkStyle((0.7, 1.1), 30.0, utterances=3, evenness=1.0, hosts_first=True, backchannels=0.25, turn_level_db=2.0)
BRISK = replace(TALK, turn_log_s=(0.3, 0.9), backchannels=0.35)
LECTURE = replace(TALK, turn_log_s=(1.5, 1.1), evenness=0.5, backchannels=0.15)

NEAR, TABLE = Room((0.2, 0.4), 25, 3, 0.25), Room((0.3, 0.6), 18, 5, 0.35)
HALL, HEATED = Room((0.4, 0.9), 12, 6, 0.25), Room((0.2, 0.5), 18, 5, 0.6)

PLANS = (
    MeetingPlan(5, 2, 0, 0, NEAR, TALK),
    MeetingPlan(5, 2, 0, 1, TABLE, LECTURE),
    MeetingPlan(5, 3, 0, 0, HEATED, BRISK),
    MeetingPlan(6, 2, 1, 0, HALL, TALK),
    MeetingPlan(6, 4, 0, 0, TABLE, BRISK),
    MeetingPlan(7, 3, 1, 1, TABLE, TALK),
    MeetingPlan(8, 5, 0, 0, NEAR, TALK),
    MeetingPlan(8, 5, 3, 0, TABLE, TALK),
    MeetingPlan(12, 4, 2, 0, HEATED, TALK),
    MeetingPlan(20, 4, 3, 0, TABLE, LECTURE),
)
# Clips of one meeting, whose speakers are the same, are of one half.
CLIPS = {Half.TUNING: ("dev00", "trn04", "trn06", "trn08"), Half.HELD_OUT: ("farfield", "tst00", "trn00", "trn02")}
GUESTS = {Half.TUNING: ("de", "es", "it", "ja", "ru"), Half.HELD_OUT: ("fr", "ko", "pt", "zh")}


def ami_clips(half: Half) -> list[Case]:
    """The AMI clips of the half."""
    return [case for case in recorded(EVAL / "ami") if case.name in CLIPS[half]]


def _meeting(half: Half, number: int, plan: MeetingPlan, clips: list[Case]) -> Case:
    random = np.random.default_rng([13, half, number])
    readers = read_speech(EVAL / "librispeech")
    hosts = random.choice(sorted(readers)[half::2], plan.hosts, replace=False)
    speakers = {str(host): readers[str(host)] for host in hosts}
    speakers |= _guests(half, plan.guests, random)
    name = f"made {half.name.lower()} {number}"
    case = Case(name, *dialogue(speakers, plan.room, plan.style, 60 * plan.minutes, random))
    if not plan.clips or not clips:
        return case
    middle_s = case.duration_s / 2
    first = int(random.integers(len(clips)))
    chosen = [clips[(first + index) % len(clips)] for index in range(plan.clips)]
    combined = concatenated([excerpt(case, 0.0, middle_s), *chosen, excerpt(case, middle_s, case.duration_s)])
    return replace(combined, name=name)


def _guests(half: Half, count: int, random: np.random.Generator) -> dict[str, list[Path]]:
    """One utterance each: which of a language's are of one person is not known."""
    languages = [language for language in GUESTS[half] if (EVAL / "lang" / language).is_dir()]
    chosen = random.permutation(languages)[:count]
    return {
        str(language): [random.choice(np.array(sorted((EVAL / "lang" / language).glob("*.flac")), object))]
        for language in chosen
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.made_meetings", description=__doc__)
    parser.add_argument("--half", choices=[half.name.lower() for half in Half], default="tuning")
    parser.add_argument("--meetings", type=int, default=len(PLANS), metavar="N", help="use only the first N meetings")
    options = parser.parse_args()
    if not EVAL.is_dir():
        print(f"no evaluation data in {EVAL}", file=sys.stderr)
        return 2
    ensure_scorers()
    half = Half[options.half.upper()]
    clips, found = ami_clips(half), []
    print(f"{'':<20}{'minutes':>9}{'speakers':>9}{'off by':>9}{'DER':>9}{'collar':>9}{'JER':>9}")
    for number, plan in enumerate(PLANS[: options.meetings]):
        case = _meeting(half, number, plan, clips)
        (scores,) = Recordings([case]).scores(Method())
        found.append(scores)
        speakers = len({interval.speaker for interval in case.truth})
        print(f"{case.name:<20}{case.duration_s / 60:>9.1f}{speakers:>9}{_line(scores)}", flush=True)
    print(f"{'mean':<38}{_line(mean_scores(found))}")
    return 0


def _line(scores: Scores) -> str:
    return f"{scores.speakers_off:>9.1f}{scores.der:>9.2f}{scores.der_collar:>9.2f}{scores.jer:>9.2f}"


if __name__ == "__main__":
    sys.exit(main())
