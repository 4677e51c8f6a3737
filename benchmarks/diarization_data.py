"""Recordings with ground truth for work on diarization: real, spoilt in known ways, and spliced from read speech."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import EVAL, RATE_HZ, Samples, read_samples, read_speech, reverberated, write_flac
from benchmarks.scoring import SpokenInterval, read_rttm

LEVEL_RMS = 0.05
# Of read speech: frames this far under the loud ones, or so little over the noise, are pauses.
PAUSE_DB, NOISE_DB = 30.0, 6.0
LONGEST_PAUSE_S, SHORTEST_SPEECH_S = 0.3, 0.1
FRAME = RATE_HZ // 100


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


def part(case: Case, start_s: float, end_s: float) -> Case:
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


def joined(cases: list[Case]) -> Case:
    """One after another; who has the same name is the same speaker."""
    truth: list[SpokenInterval] = []
    at_s = 0.0
    for case in cases:
        truth += [SpokenInterval(start + at_s, end + at_s, speaker) for start, end, speaker in case.truth]
        at_s += case.duration_s
    return Case(" + ".join(case.name for case in cases), np.concatenate([case.samples for case in cases]), tuple(truth))


@dataclass(frozen=True, slots=True)
class Room:
    """How a dialogue is made hard."""

    t60_s: tuple[float, float] | None = None
    """Each speaker's reverberation time lies between these; None: no echo."""
    noise_db: float = 25.0
    """Pink noise so far under the speech."""
    level_db: float = 0.0
    """Standard deviation of the speakers' levels."""
    overlap: float = 0.0
    """Share of turns that begin before the one before has ended."""


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
        cases.append(_dialogue(name, chosen, ROOMS[number % len(ROOMS)], (40, 90)[number % 2], random))
    return cases


def long_meeting(half: int, minutes: float = 8) -> list[Case]:
    """A dialogue of four readers in a room."""
    if not (EVAL / "librispeech").is_dir():
        return []
    by_reader = read_speech(EVAL / "librispeech")
    readers = {reader: by_reader[reader] for reader in sorted(by_reader)[half::2][:4]}
    room = Room((0.2, 0.5), 18, 4, 0.15)
    return [_dialogue(f"{minutes:g} minutes {half}", readers, room, 60 * minutes, np.random.default_rng([9, half]))]


def _dialogue(
    name: str, by_reader: dict[str, list[Path]], room: Room, length_s: float, random: np.random.Generator
) -> Case:
    readers = list(by_reader)
    tracks = np.zeros((len(readers), int((length_s + 12) * RATE_HZ)), np.float32)
    shares = random.dirichlet(np.full(len(readers), 2.0))
    levels = 10 ** (random.normal(0, room.level_db, len(readers)) / 20)
    said_until_s = np.zeros(len(readers))
    truth: list[SpokenInterval] = []
    now_s, last = 0.5, -1
    while now_s < length_s:
        odds = shares * np.where(np.arange(len(readers)) == last, 0.15, 1)
        speaker = int(random.choice(len(readers), p=odds / odds.sum()))
        paths = by_reader[readers[speaker]]
        samples = read_samples(paths[random.integers(len(paths))])
        spans = list(_turn(_speech(samples), float(np.clip(random.lognormal(0.6, 0.7), 0.5, 8)), random))
        gap_s = max(0.05, float(random.normal(0.25, 0.25)))
        if speaker != last >= 0 and random.random() < room.overlap:
            gap_s = -float(random.uniform(0.3, 1.5))
        start_s = max(now_s + gap_s, said_until_s[speaker] + 0.05)
        first_s, last_s = spans[0][0], spans[-1][1]
        turn = samples[int(first_s * RATE_HZ) : int(last_s * RATE_HZ)]
        turn = turn * (LEVEL_RMS * levels[speaker] / np.sqrt(np.square(turn).mean() + 1e-9))
        at = int(start_s * RATE_HZ)
        tracks[speaker, at : at + len(turn)] += turn
        truth += [SpokenInterval(start_s + a - first_s, start_s + b - first_s, readers[speaker]) for a, b in spans]
        said_until_s[speaker] = start_s + last_s - first_s
        now_s, last = max(now_s, float(said_until_s[speaker])), speaker
    rooms = np.stack([_in_room(track, room, random) for track in tracks])
    heard = rooms.sum(0)[: int((now_s + 0.7) * RATE_HZ)]
    noise = _pink(len(heard), random) * np.sqrt(np.square(heard).mean()) * 10 ** (-room.noise_db / 20)
    return Case(name, np.clip(heard + noise, -1, 1).astype(np.float32), tuple(truth))


def _in_room(track: Samples, room: Room, random: np.random.Generator) -> Samples:
    if room.t60_s is None or not track.any():
        return track
    echoed = reverberated(track, float(random.uniform(*room.t60_s)), int(random.integers(1 << 30)))
    loudness = np.sqrt(np.square(track).mean() / np.square(echoed).mean())
    return np.asarray(echoed * loudness, np.float32)


def _pink(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(random.standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    return np.asarray(noise / np.sqrt(np.square(noise).mean()))


def _turn(
    spans: list[tuple[float, float]], length_s: float, random: np.random.Generator
) -> Iterator[tuple[float, float]]:
    """Stretches of speech that follow one another, from any of them on, so long together with their pauses."""
    first = int(random.integers(len(spans)))
    end_s = spans[first][0] + length_s
    for start, end in spans[first:]:
        if min(end, end_s) - start > SHORTEST_SPEECH_S:
            yield start, min(end, end_s)


def _speech(samples: Samples) -> list[tuple[float, float]]:
    """Where clean read speech is loud, seconds; pauses of up to 0.3 s belong to it."""
    count = len(samples) // FRAME
    power = np.square(samples[: count * FRAME].reshape(count, FRAME)).mean(1)
    level_db = np.convolve(10 * np.log10(power + 1e-12), np.full(3, 1 / 3), "same")
    quiet_db, loud_db = np.percentile(level_db, [5, 95])
    speech = level_db > max(loud_db - PAUSE_DB, min(quiet_db + NOISE_DB, loud_db - NOISE_DB))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], speech.astype(int), [0]]))) / 100
    spans: list[tuple[float, float]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if spans and start - spans[-1][1] <= LONGEST_PAUSE_S:
            spans[-1] = (spans[-1][0], float(end))
        else:
            spans.append((float(start), float(end)))
    return [span for span in spans if span[1] - span[0] > SHORTEST_SPEECH_S]
