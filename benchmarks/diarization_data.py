"""Recordings with ground truth for work on diarization: real, spoilt in known ways, and spliced from read speech."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.made_dialogues import Room, TalkStyle, dialogue
from benchmarks.recordings import EVAL, RATE_HZ, Samples, read_samples, read_speech, write_flac
from benchmarks.scoring import SpokenInterval, read_rttm


@dataclass(frozen=True, slots=True)
class Case:
    """A recording and who speaks when in it."""

    name: str
    samples: Samples
    truth: tuple[SpokenInterval, ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / RATE_HZ


def recorded(folder: Path) -> list[Case]:
    """The .flac files of a folder with .rttm beside them; none where the folder is absent."""
    paths = sorted(path for path in folder.glob("*.flac") if path.with_suffix(".rttm").exists())
    return [Case(path.stem, read_samples(path), tuple(read_rttm(path.with_suffix(".rttm")))) for path in paths]


def write_case(case: Case, folder: Path) -> Path:
    """As a .flac file with an .rttm beside it; returns the first. The folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    name = case.name.replace(" ", "-")  # no field of an RTTM file holds a space
    lines = [
        f"SPEAKER {name} 1 {start:.3f} {end - start:.3f} <NA> <NA> {speaker} <NA> <NA>\n"
        for start, end, speaker in case.truth
    ]
    (folder / f"{name}.rttm").write_text("".join(lines), encoding="utf-8")
    return write_flac(np.round(case.samples * 32768).clip(-32768, 32767).astype(np.int16), folder / f"{name}.flac")


def excerpt(case: Case, start_s: float, end_s: float) -> Case:
    """From one time to another."""
    end_s = min(end_s, case.duration_s)
    truth = tuple(
        SpokenInterval(max(0.0, start - start_s), min(end, end_s) - start_s, speaker)
        for start, end, speaker in case.truth
        if start < end_s and end > start_s
    )
    samples = case.samples[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]
    return Case(f"{case.name} {start_s:g}-{end_s:g} s", samples, truth)


def louder(case: Case, db: float) -> Case:
    """Amplified, and clipped where that is too much."""
    return replace(
        case, name=f"{case.name} {db:+g} dB", samples=np.clip(case.samples * np.float32(10 ** (db / 20)), -1, 1)
    )


def noisy(case: Case, db: float) -> Case:
    """In white noise so far under the recording."""
    noise = np.random.default_rng(1).standard_normal(len(case.samples)) * np.sqrt(np.square(case.samples).mean())
    samples = (case.samples + noise * 10 ** (-db / 20)).astype(np.float32)
    return replace(case, name=f"{case.name} noise -{db:g} dB", samples=samples)


def concatenated(cases: list[Case]) -> Case:
    """One after another; who has the same name is the same speaker."""
    truth: list[SpokenInterval] = []
    offset_s = 0.0
    for case in cases:
        truth += [SpokenInterval(start + offset_s, end + offset_s, speaker) for start, end, speaker in case.truth]
        offset_s += case.duration_s
    return Case(" + ".join(case.name for case in cases), np.concatenate([case.samples for case in cases]), tuple(truth))


ROOMS = (
    Room(),
    Room((0.2, 0.5), 20, 4),
    Room((0.3, 0.6), 12, 5),
    Room((0.2, 0.4), 20, 3, 0.4),
    Room((0.3, 0.6), 15, 5, 0.7),
)


def spliced(half: int) -> list[Case]:
    """Ten dialogues of two to five of five LibriSpeech readers, 40 and 90 s; the halves share no reader."""
    if not (EVAL / "librispeech").is_dir():
        return []
    by_reader = read_speech(EVAL / "librispeech")
    readers = sorted(by_reader)[half::2]
    cases = []
    for number, count in enumerate((2, 3, 4, 5, 2, 3, 4, 2, 3, 4)):
        random = np.random.default_rng([half, number])
        chosen = {str(reader): by_reader[str(reader)] for reader in random.choice(readers, count, replace=False)}
        name = f"spliced {half}.{number}"
        cases.append(
            Case(name, *dialogue(chosen, ROOMS[number % len(ROOMS)], TalkStyle(), (40, 90)[number % 2], random))
        )
    return cases


def long_meeting(half: int, minutes: float = 8) -> list[Case]:
    """A dialogue of four readers in a room."""
    if not (EVAL / "librispeech").is_dir():
        return []
    by_reader = read_speech(EVAL / "librispeech")
    readers = {reader: by_reader[reader] for reader in sorted(by_reader)[half::2][:4]}
    room = Room((0.2, 0.5), 18, 4, 0.15)
    random = np.random.default_rng([9, half])
    return [Case(f"{minutes:g} minutes {half}", *dialogue(readers, room, TalkStyle(), 60 * minutes, random))]
