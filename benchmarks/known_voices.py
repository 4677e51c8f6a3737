"""Is a voice known again in another room, by another microphone, through another codec?

    python -m benchmarks.known_voices [--json FILE]

LibriSpeech readers are heard through simulated rooms, microphones, noise, telephones and codecs, each in two
recordings that share no sentence. Their voices are made as a session makes them, the mean vector of windows of
speech, of different amounts of it, and those of one recording compared with those of the other. What is told of the
threshold is told of each half of the readers: it is chosen on the first and tested on the second. Then whole meetings,
diarized as uploads are, and their speakers compared with those of other meetings: AMI clips, two of them of the same
people by different microphones, and the synthetic dialogues, by a microphone and through a room and a codec.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.diarization_data import Case, recorded
from benchmarks.diarization_runs import Recordings, Vectors
from benchmarks.in_process import default_engine
from benchmarks.microphones import CONDITIONS
from benchmarks.printed_rows import print_rows
from benchmarks.recordings import EVAL, RATE_HZ, Samples, read_samples, read_speech
from benchmarks.running_system import circumstances
from benchmarks.voice_pairs import PairSimilarities, VoiceSet, compare, naming_rates, voices
from benchmarks.voices_of_meetings import DetectedVoice, detect_voices
from inference.onnx.speakers import PROFILE
from server.analysis import MIN_SPEECH_S

# Between two utterances of a reader, seconds.
PAUSE_S = 0.5
# The last utterances of each reader, at least so long together, are the other recording; seconds.
NEW_S = 17.0
# Speech that voices are made of, seconds; all there is where that is less.
KNOWN_S, NEW_AMOUNTS_S = (5.0, 15.0, 60.0), (2.0, 3.0, 5.0, 8.0, 15.0)
THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(10))
# How voices that are known were recorded.
KNOWN_CONDITIONS = ("close", "noise, 10 dB under", "telephone", "far, T60 0.8 s")
# Meetings are heard as they are, and so.
DEGRADED = "far, noise, Opus"


class ReaderWindows(NamedTuple):
    """The vectors of windows of speech, by reader and way."""

    known: list[tuple[str, str, Vectors]]
    new: list[tuple[str, str, Vectors]]

    def known_voices(self, seconds: float) -> VoiceSet:
        return voices(self.known, round(seconds / PROFILE.hop_s))

    def new_voices(self, seconds: float) -> VoiceSet:
        return voices(self.new, round(seconds / PROFILE.hop_s))


def reader_recordings(readers: dict[str, list[Path]]) -> Iterator[tuple[str, list[Samples]]]:
    """For each reader: the windows of one recording, and those of another."""
    pause = np.zeros(int(PAUSE_S * RATE_HZ), np.float32)
    for reader, paths in sorted(readers.items()):
        utterances = [read_samples(path) for path in paths]
        seconds = np.array([len(utterance) / RATE_HZ for utterance in utterances])
        last = 1 + int((seconds[::-1].cumsum() < NEW_S).sum())
        parts = (utterances[:-last], utterances[-last:])
        yield reader, [np.concatenate([sound for one in part for sound in (one, pause)]) for part in parts]


def embed_readers(readers: dict[str, list[Path]]) -> ReaderWindows:
    """Every reader, new by every way and known by some; no two recordings share a room or a microphone."""
    windows = ReaderWindows([], [])
    pairs = list(reader_recordings(readers))
    for number, (name, condition) in enumerate(CONDITIONS.items()):
        seeds = iter(range(number * 2 * len(pairs), (number + 1) * 2 * len(pairs)))
        cases = [Case(reader, condition(samples, next(seeds)), ()) for reader, parts in pairs for samples in parts]
        wanted = cases if name in KNOWN_CONDITIONS else cases[1::2]
        recordings = Recordings(wanted)
        for index, case in enumerate(wanted):
            part = index % 2 if name in KNOWN_CONDITIONS else 1
            windows[part].append((case.name, name, recordings.windows(index)[1]))
        print(f"heard: {name}", file=sys.stderr, flush=True)
    return windows


def by_condition(windows: ReaderWindows, threshold: float) -> list[dict[str, Any]]:
    """Voices known from close by, and by each of the ways, with new ones of each way; 60 s known, 15 s new."""
    known, new = windows.known_voices(KNOWN_S[-1]), windows.new_voices(NEW_AMOUNTS_S[-1])
    rows: list[dict[str, Any]] = [
        {
            "known": "close",
            "new": condition,
            **compare(known.for_condition("close"), new.for_condition(condition)).error_rates(threshold),
        }
        for condition in CONDITIONS
    ]
    rows += [
        {"known": "any", "new": condition, **compare(known, new.for_condition(condition)).error_rates(threshold)}
        for condition in CONDITIONS
    ]
    return [*rows, {"known": "any", "new": "any", **compare(known, new).error_rates(threshold)}]


def by_telephone(windows: ReaderWindows, threshold: float) -> list[dict[str, Any]]:
    """Pairs with a telephone on no side, on one, and on both; 60 s known, 15 s new."""
    known, new = windows.known_voices(KNOWN_S[-1]), windows.new_voices(NEW_AMOUNTS_S[-1])
    by_phone = [np.char.find(some.conditions, "telephone") >= 0 for some in (known, new)]
    sides = by_phone[0][:, None].astype(int) + by_phone[1][None, :]
    same_person = known.people[:, None] == new.people[None, :]
    similarity = (known.vectors @ new.vectors.T).astype(np.float64)
    return [
        {
            "telephones": count,
            **PairSimilarities(
                similarity[same_person & (sides == count)], similarity[~same_person & (sides == count)]
            ).error_rates(threshold),
        }
        for count in range(3)
    ]


def by_amount(windows: ReaderWindows, threshold: float) -> list[dict[str, Any]]:
    """Every way with every way, by the speech that voices are made of."""
    rows = []
    for known_s, new_s in product(KNOWN_S, NEW_AMOUNTS_S):
        known, new = windows.known_voices(known_s), windows.new_voices(new_s)
        becomes = naming_rates(known, new, threshold)
        rows.append(
            {
                "known_s": known_s,
                "new_s": new_s,
                **compare(known, new).error_rates(threshold),
                **{f"{what}_percent": round(value, 1) for what, value in asdict(becomes).items()},
            }
        )
    return rows


def by_threshold(windows: ReaderWindows, readers: list[str]) -> list[dict[str, float]]:
    """Errors of some readers, every way with every way; 60 s known, of the new one the least that is compared."""
    known, new = (
        windows.known_voices(KNOWN_S[-1]).for_people(readers),
        windows.new_voices(MIN_SPEECH_S).for_people(readers),
    )
    pairs = compare(known, new)
    return [
        {
            "threshold": threshold,
            "missed_percent": round(pairs.missed(threshold), 1),
            "taken_percent": round(pairs.false_matches(threshold), 2),
            "strangers_percent": round(naming_rates(known, new, threshold).strangers, 1),
        }
        for threshold in THRESHOLDS
    ]


def compare_meetings(found: dict[str, list[DetectedVoice]], threshold: float) -> list[dict[str, Any]]:
    """Speakers of meetings with those of other meetings; ``found``: by the way the meetings were recorded."""
    enough = {
        condition: [voice for voice in some if voice.seconds >= MIN_SPEECH_S] for condition, some in found.items()
    }
    rows = []
    for known, new in (("close", "close"), ("close", DEGRADED), (DEGRADED, DEGRADED)):
        pairs = [(a, b) for a in enough[known] for b in enough[new] if a.meeting != b.meeting]
        same_person = np.array([a.speaker == b.speaker for a, b in pairs])
        similarity = np.array([float(a.vector @ b.vector) for a, b in pairs])
        rows.append(
            {
                "known": known,
                "new": new,
                **PairSimilarities(similarity[same_person], similarity[~same_person]).error_rates(threshold),
            }
        )
    return rows


async def measure() -> dict[str, Any]:
    """The figures."""
    threshold = PROFILE.same_voice_similarity
    readers = read_speech(EVAL / "librispeech")
    windows = embed_readers(readers)
    meetings = [*recorded(EVAL / "ami"), *recorded(EVAL / "synthetic")]
    found: dict[str, list[DetectedVoice]] = {"close": [], DEGRADED: []}
    async with default_engine() as engine:
        for seed, case in enumerate(meetings):
            found["close"] += await detect_voices(engine, case)
            found[DEGRADED] += await detect_voices(
                engine, replace(case, samples=CONDITIONS[DEGRADED](case.samples, seed))
            )
            print(f"heard: {case.name}", file=sys.stderr, flush=True)
    names = sorted(readers)
    return {
        "threshold": threshold,
        "by_way": by_condition(windows, threshold),
        "by_telephone": by_telephone(windows, threshold),
        "by_amount": by_amount(windows, threshold),
        "by_threshold": {
            "chosen_on": by_threshold(windows, names[::2]),
            "tested_on": by_threshold(windows, names[1::2]),
        },
        "of_meetings": compare_meetings(found, threshold),
    }


def print_titled(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    print_rows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.known_voices", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not (EVAL / "librispeech").is_dir():
        print(f"no evaluation recordings in {EVAL}", file=sys.stderr)
        return 2
    figures = asyncio.run(measure())
    print(f"threshold: {figures['threshold']}")
    print_titled("by way", figures["by_way"])
    print_titled("by how many of the two are telephones", figures["by_telephone"])
    print_titled("by the amount of speech", figures["by_amount"])
    for half, rows in figures["by_threshold"].items():
        print_titled(f"by threshold, {half.replace('_', ' ')}", rows)
    print_titled("speakers of meetings", figures["of_meetings"])
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
