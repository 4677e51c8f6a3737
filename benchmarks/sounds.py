"""Sounds without a word: made here, the same on every machine; and the clips of the evaluation data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from benchmarks.recordings import EVAL, RATE_HZ, Samples, read_samples

NONSPEECH = EVAL / "nonspeech"
LEVELS_DBFS = (-20.0, -35.0, -50.0)
# So much over its level is the peak of a sound that comes now and then: a click or a beep that is heard.
PEAK_DB = 14.0
Sound = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class NonspeechSound:
    """A recording in which nobody says a word."""

    kind: str
    name: str
    samples: Samples


def _times(seconds: float) -> Sound:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def _band(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    filtered: Sound = sosfilt(butter(2, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos"), sound)
    return filtered


def _coloured(random: Random, seconds: float, slope: float) -> Sound:
    """Noise whose power falls with frequency to this power."""
    count = int(seconds * RATE_HZ)
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0)
    return np.fft.irfft(spectrum * frequencies ** (-slope / 2), count)


def _silence(random: Random, seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE_HZ))


def _dither(random: Random, seconds: float) -> Sound:
    """The last bit of 16: what a muted microphone leaves."""
    return random.integers(-1, 2, int(seconds * RATE_HZ)) / 32768


def _fan(random: Random, seconds: float) -> Sound:
    t = _times(seconds)
    blades = 1 + 0.2 * np.sin(2 * np.pi * 11 * t)
    hum = np.sum([np.sin(2 * np.pi * 50 * harmonic * t) / harmonic for harmonic in (1, 2, 3, 5)], axis=0)
    sound: Sound = _band(random.standard_normal(len(t)), 80, 1200) * blades + 0.3 * hum
    return sound


def _clicks(random: Random, seconds: float) -> Sound:
    """A keyboard: bursts of a few milliseconds, in runs as people type."""
    sound = np.zeros(int(seconds * RATE_HZ))
    at = 0.3
    while at < seconds - 0.1:
        length = int(random.uniform(0.004, 0.015) * RATE_HZ)
        burst = random.standard_normal(length) * np.exp(-np.arange(length) / (0.25 * length))
        start = int(at * RATE_HZ)
        sound[start : start + length] += burst * random.uniform(0.4, 1)
        at += random.uniform(0.07, 0.25) if random.random() < 0.9 else random.uniform(0.6, 2.5)
    return _band(sound, 800, 6000)


def _breathing(random: Random, seconds: float) -> Sound:
    """In and out every four seconds, noise shaped as by a mouth."""
    t = _times(seconds)
    swell = np.maximum(0, np.sin(2 * np.pi * t / 2)) ** 2 * np.where((t // 2) % 2 == 0, 1.0, 0.6)
    noise = random.standard_normal(len(t))
    sound: Sound = (_band(noise, 300, 900) + 0.5 * _band(noise, 1500, 3500)) * swell
    return sound


def _applause(random: Random, seconds: float) -> Sound:
    """Some sixty people, each clapping four times a second."""
    sound = np.zeros(int(seconds * RATE_HZ))
    length = RATE_HZ // 50
    fall = np.exp(-np.arange(length) / (0.2 * length))
    for start in random.integers(0, max(1, len(sound) - length), int(240 * seconds)):
        sound[start : start + length] += random.standard_normal(length) * fall * random.uniform(0.2, 1)
    return _band(sound, 500, 5000)


def _tones(t: Sound, *frequencies: float) -> Sound:
    together: Sound = np.sum([np.sin(2 * np.pi * frequency * t) for frequency in frequencies], axis=0)
    return together


def _ringing(random: Random, seconds: float) -> Sound:
    """North American ring-back: two seconds of every six."""
    t = _times(seconds)
    return _tones(t, 440, 480) * (t % 6 < 2)


def _trilling(random: Random, seconds: float) -> Sound:
    """A telephone's bell: two tones in quick turn, two seconds of every five."""
    t = _times(seconds)
    return np.where((t * 20) % 2 < 1, _tones(t, 960), _tones(t, 1200)) * (t % 5 < 2)


def _beeps(random: Random, seconds: float) -> Sound:
    t = _times(seconds)
    return _tones(t, 1000) * (t % 1.5 < 0.2)


def _dialling(random: Random, seconds: float) -> Sound:
    """DTMF: 80 ms a digit, 120 ms between."""
    t = _times(seconds)
    digit_indices = (t / 0.2).astype(int)
    digits = random.integers(0, 16, digit_indices.max() + 1)[digit_indices]
    low, high = np.array([697, 770, 852, 941])[digits // 4], np.array([1209, 1336, 1477, 1633])[digits % 4]
    sound: Sound = (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t)) * (t % 0.2 < 0.08)
    return sound


def _music(random: Random, seconds: float) -> Sound:
    """Chords of strings, an arpeggio over them."""
    t = _times(seconds)
    roots = np.array([220.0, 174.6, 261.6, 196.0])[(t / 2).astype(int) % 4]
    sound = np.zeros(len(t))
    for step in (1, 5 / 4, 3 / 2):
        for harmonic in range(1, 6):
            sound += np.sin(2 * np.pi * np.cumsum(roots * step * harmonic) / RATE_HZ) / harmonic**1.5
    notes = np.array([2, 5 / 2, 3, 4])[(t / 0.25).astype(int) % 4]
    plucked = np.sin(2 * np.pi * np.cumsum(roots * notes) / RATE_HZ) * np.exp(-(t % 0.25) / 0.1)
    return sound * (0.7 + 0.3 * np.sin(2 * np.pi * 5 * t)) + 1.5 * plucked


def _sweeps(random: Random, seconds: float) -> Sound:
    """100 Hz to 6 kHz in five seconds, again and again."""
    t = _times(seconds)
    return np.sin(2 * np.pi * np.cumsum(100 * 60 ** ((t % 5) / 5)) / RATE_HZ)


MADE: dict[str, Callable[[Random, float], Sound]] = {
    "silence": _silence,
    "dither": _dither,
    "white hiss": lambda random, seconds: _coloured(random, seconds, 0),
    "pink hiss": lambda random, seconds: _coloured(random, seconds, 1),
    "brown hiss": lambda random, seconds: _coloured(random, seconds, 2),
    "fan": _fan,
    "keyboard": _clicks,
    "breathing": _breathing,
    "applause": _applause,
    "ringing phone": _ringing,
    "telephone bell": _trilling,
    "beeps": _beeps,
    "dialling": _dialling,
    "music": _music,
    "sweeps": _sweeps,
}
# As loud as they are, which is next to nothing.
UNSCALED = ("silence", "dither")
# Those that come now and then: their mean power says little.
SPARSE = ("keyboard", "breathing", "ringing phone", "telephone bell", "beeps", "dialling")


VARIANTS = tuple((kind, level) for kind in MADE for level in (LEVELS_DBFS[:1] if kind in UNSCALED else LEVELS_DBFS))


def made(kind: str, seconds: float, level_dbfs: float = LEVELS_DBFS[0]) -> NonspeechSound:
    """A sound of one of the kinds of MADE; ``level_dbfs``: its mean power, of sparse ones the peak less PEAK_DB."""
    sound = MADE[kind](np.random.default_rng(list(MADE).index(kind)), seconds)
    if kind in UNSCALED:
        return NonspeechSound(kind, kind, sound.astype(np.float32))
    if kind in SPARSE:
        size, wanted_db = float(np.abs(sound).max()), level_dbfs + PEAK_DB
    else:
        size, wanted_db = float(np.sqrt(np.mean(sound**2))), level_dbfs
    scaled = np.clip(sound * 10 ** (wanted_db / 20) / max(size, 1e-9), -1, 1)
    return NonspeechSound(kind, f"{kind} {level_dbfs:g} dBFS", scaled.astype(np.float32))


def recorded(folder: Path = NONSPEECH) -> list[NonspeechSound]:
    """The clips of the evaluation data; none where it is absent."""
    manifest = folder / "manifest.jsonl"
    entries = [json.loads(line) for line in manifest.read_text().splitlines()] if manifest.exists() else []
    return [
        NonspeechSound(
            "recorded: " + ("voices without words" if entry["has_voices"] else "no voices"), entry["file"], sound
        )
        for entry in entries
        if entry["expected_words"] == 0
        for sound in [read_samples(folder / entry["file"])]
    ]
