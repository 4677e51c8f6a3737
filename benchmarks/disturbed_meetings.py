"""Meetings of readers in which something sounds that is no speaker: music, machines, a crowd, a television."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import iirpeak, lfilter

from benchmarks.diarization_data import Case, concatenated, excerpt, spliced
from benchmarks.microphones import as_loud, band_limited, far, telephone
from benchmarks.recordings import EVAL, RATE_HZ, Samples, read_samples, read_speech
from benchmarks.scoring import SpokenInterval
from benchmarks.sounds import NonspeechSound, made, recorded

# So long it sounds by itself, seconds, where nobody speaks.
ALONE_S = 10.0
# Alone it is as loud as the speech, under the speech so much quieter; a television is far away in both.
UNDER_DB, TELEVISION_DB = 15.0, 22.0
TELEVISION_HZ, TELEVISION_T60_S = (200.0, 5000.0), 0.6
# Of the dialogues of two and three readers: in a quiet room, in rooms with an echo.
DIALOGUES = (0, 1, 5)
MAX_S = 30.0
# Of laughter: from one breath to the next, seconds.
BREATH_S = 2.0
STEP_S = 0.01
MADE_KINDS = {
    "music": "music",
    "applause": "noise",
    "keyboard": "noise",
    "fan": "noise",
    "ringing phone": "telephone",
    "telephone bell": "telephone",
    "dialling": "telephone",
    "beeps": "telephone",
}
RECORDED_MUSIC = ("sonicpi-loop", "mdn-outfoxing", "mdn-viper")


@dataclass(frozen=True, slots=True)
class DisturbedMeeting:
    """A meeting with what disturbs it."""

    kind: str
    """``music``, ``voices without words``, ``noise``, ``telephone``, ``television`` or ``nothing``."""
    layout: str
    """``between`` two parts of the meeting, or ``under`` all of it."""
    case: Case


def sounds() -> list[tuple[str, str, Samples]]:
    """Kind, name and sound of all that is no speech."""
    found = [(_kind(sound), sound.name, sound.samples) for sound in recorded() if sound.samples.any()]
    found += [(kind, name, made(name, ALONE_S).samples) for name, kind in MADE_KINDS.items()]
    found.append(("voices without words", "laughter, made", laughter(ALONE_S)))
    found += [("music", f"{name}, on hold", telephone(sound)) for kind, name, sound in found if kind == "music"]
    return found


def _kind(sound: NonspeechSound) -> str:
    if sound.name.startswith(RECORDED_MUSIC):
        return "music"
    return "voices without words" if sound.kind.endswith("voices without words") else "noise"


def laughter(seconds: float) -> Samples:
    """Bursts of an open vowel, six a second and ever lower, for as long as a breath; then the next breath."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    breath_s = t % BREATH_S
    pitch_hz = 330 * 0.8 ** (breath_s / BREATH_S)
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / RATE_HZ), prepend=0.0)
    voiced = np.maximum(0, np.sin(2 * np.pi * 6 * breath_s)) ** 0.5 * (breath_s < 0.7 * BREATH_S)
    breathy = pulses + 0.02 * np.random.default_rng(0).standard_normal(len(t))
    sound = sum(
        lfilter(*iirpeak(formant_hz, formant_hz / 100, fs=RATE_HZ), breathy * voiced)
        for formant_hz in (850, 1300, 2700)
    )
    return np.asarray(sound / np.abs(sound).max() * 0.5, np.float32)


def televisions(half: int) -> list[tuple[str, Samples]]:
    """A reader, and several in turn, as from a television across the room; readers of one half."""
    by_reader = read_speech(EVAL / "librispeech")
    readers = sorted(by_reader)[half::2]
    alone = _read(by_reader[readers[0]])
    in_turn = _read([by_reader[reader][turn] for turn in range(2) for reader in readers[1:4]])
    return [
        (name, far(band_limited(sound, *TELEVISION_HZ), TELEVISION_T60_S))
        for name, sound in (("one voice", alone), ("several voices", in_turn))
    ]


def _read(paths: list[Path]) -> Samples:
    return np.concatenate([read_samples(path) for path in paths])


def meetings() -> Iterator[DisturbedMeeting]:
    """Every disturbance in both layouts, in one dialogue after another."""
    base = [_beginning(spliced(0)[number]) for number in DIALOGUES]
    others = [(kind, name, sound, 0.0, UNDER_DB) for kind, name, sound in sounds()]
    for name, sound in televisions(1):
        others += [("television", f"{name} {index}", sound, TELEVISION_DB, TELEVISION_DB) for index in range(len(base))]
    for case in base:
        yield DisturbedMeeting("nothing", "between", insert_sound(case, np.zeros(1, np.float32), 0.0))
        yield DisturbedMeeting("nothing", "under", case)
    for number, (kind, name, sound, alone_db, under_db) in enumerate(others):
        case = replace(base[number % len(base)], name=name)
        yield DisturbedMeeting(kind, "between", insert_sound(case, sound, alone_db))
        yield DisturbedMeeting(kind, "under", mix_under(case, sound, under_db))


def insert_sound(case: Case, sound: Samples, db: float) -> Case:
    """The sound by itself in the middle of a meeting, so far under the level of its speech."""
    pause_s = _pause(case)
    alone = _tile(sound, round(ALONE_S * RATE_HZ))
    quiet = Case("", as_loud(alone, case.samples) * np.float32(10 ** (-db / 20)), ())
    combined = concatenated([excerpt(case, 0.0, pause_s), quiet, excerpt(case, pause_s, case.duration_s)])
    return replace(combined, name=case.name)


def mix_under(case: Case, sound: Samples, db: float) -> Case:
    """The sound all along, so far under the speech."""
    along = as_loud(_tile(sound, len(case.samples)), case.samples) * np.float32(10 ** (-db / 20))
    return replace(case, samples=np.clip(case.samples + along, -1, 1))


def _tile(sound: Samples, count: int) -> Samples:
    return np.tile(sound, -(-count // len(sound)))[:count]


def _beginning(case: Case) -> Case:
    return excerpt(case, 0.0, MAX_S)


def _pause(case: Case) -> float:
    """The middle of the pause that is nearest to the middle of a meeting."""
    times_s = np.arange(0.0, case.duration_s, STEP_S)
    quiet = times_s[~_spoken(case.truth, times_s)]
    return float(quiet[np.abs(quiet - case.duration_s / 2).argmin()])


def spoken_share(truth: Sequence[SpokenInterval], start_s: float, end_s: float) -> float:
    """Of a time span, 0..1: while anybody speaks."""
    times_s = np.arange(start_s, end_s, STEP_S)
    return float(_spoken(truth, times_s).mean()) if len(times_s) else 0.0


def _spoken(truth: Sequence[SpokenInterval], times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    spoken = np.zeros(len(times_s), np.bool_)
    for start_s, end_s, _ in truth:
        spoken |= (times_s >= start_s) & (times_s <= end_s)
    return spoken
