"""Dialogues made of recordings of one speaker each: who speaks when in them is known to the hundredth of a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import RATE_HZ, Samples, read_samples, reverberated
from benchmarks.scoring import SpokenInterval

LEVEL_RMS = 0.05
# Of read speech: frames this far under the loud ones, or so little over the noise, are pauses.
PAUSE_DB, NOISE_DB = 30.0, 6.0
MAX_PAUSE_S, MIN_SPEECH_S = 0.3, 0.1
FRAME = RATE_HZ // 100
MIN_TURN_S = 0.5
# Of a word said while another has the floor, seconds.
BACKCHANNEL_S = (0.3, 1.0)
# A turn can end so much later than the dialogue should, seconds.
SPARE_S = 4.0

Spans = list[tuple[float, float]]


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


@dataclass(frozen=True, slots=True)
class TalkStyle:
    """How people talk with one another; by default as briskly as on the telephone."""

    turn_log_s: tuple[float, float] = (0.6, 0.7)
    """Mean and standard deviation of the logarithm of a turn's length."""
    max_turn_s: float = 8.0
    utterances: int = 1
    """So many recordings of a speaker at most follow one another in a turn, none of them twice."""
    evenness: float = 2.0
    """Of the speakers' shares (Dirichlet): the less, the less evenly they share the floor."""
    hosts_first: bool = False
    """The speakers who are named first speak most."""
    backchannels: float = 0.0
    """Share of what is said that is a word beside who has the floor."""
    turn_level_db: float = 0.0
    """Standard deviation of the levels of one speaker's turns."""


@dataclass(slots=True)
class _Floor:
    """Where a dialogue has come to."""

    now_s: float = 0.5
    began_s: float = 0.5
    """Where the last turn began."""
    last: int = -1
    """Who had it; -1: nobody yet."""


class _DialogueBuilder:
    """One under way: a track a speaker, and what was said."""

    def __init__(
        self,
        by_reader: Mapping[str, Sequence[Path]],
        room: Room,
        style: TalkStyle,
        length_s: float,
        random: np.random.Generator,
    ) -> None:
        self._readers, self._paths = list(by_reader), list(by_reader.values())
        self._room, self._style, self._random = room, style, random
        self._length_s = length_s
        count = len(self._readers)
        self._tracks = np.zeros((count, int((length_s + style.max_turn_s + SPARE_S) * RATE_HZ)), np.float32)
        shares = random.dirichlet(np.full(count, style.evenness))
        self._shares = np.sort(shares)[::-1] if style.hosts_first else shares
        self._levels = 10 ** (random.normal(0, room.level_db, count) / 20)
        self._busy_until_s = np.zeros(count)
        self._truth: list[SpokenInterval] = []

    def build(self) -> tuple[Samples, tuple[SpokenInterval, ...]]:
        floor = _Floor()
        while floor.now_s < self._length_s:
            if floor.last >= 0 and self._draw(self._style.backchannels):
                self._backchannel(floor)
            else:
                self._turn(floor)
        return self._mix(floor.now_s), tuple(self._truth)

    def _draw(self, share: float) -> bool:
        """Draws nothing where it never happens."""
        return share > 0 and self._random.random() < share

    def _draw_speaker(self, weights: NDArray[np.float64]) -> int:
        return int(self._random.choice(len(weights), p=weights / weights.sum()))

    def _turn(self, floor: _Floor) -> None:
        random, style = self._random, self._style
        speaker = self._draw_speaker(self._shares * np.where(np.arange(len(self._readers)) == floor.last, 0.15, 1))
        first = self._recording(speaker)
        length_s = float(np.clip(random.lognormal(*style.turn_log_s), MIN_TURN_S, style.max_turn_s))
        turn, spans = self._words(speaker, first, length_s)
        gap_s = max(0.05, float(random.normal(0.25, 0.25)))
        if speaker != floor.last >= 0 and random.random() < self._room.overlap:
            gap_s = -float(random.uniform(0.3, 1.5))
        floor.began_s = self._add_speech(speaker, floor.now_s + gap_s, turn, spans)
        floor.now_s, floor.last = max(floor.now_s, float(self._busy_until_s[speaker])), speaker

    def _backchannel(self, floor: _Floor) -> None:
        speaker = self._draw_speaker(self._shares * (np.arange(len(self._readers)) != floor.last))
        turn, spans = self._words(speaker, self._recording(speaker), float(self._random.uniform(*BACKCHANNEL_S)))
        start_s = float(self._random.uniform(floor.began_s, floor.now_s))
        if self._busy_until_s[speaker] + 0.05 < start_s:
            self._add_speech(speaker, start_s, turn, spans)

    def _recording(self, speaker: int) -> int:
        return int(self._random.integers(len(self._paths[speaker])))

    def _words(self, speaker: int, first: int, length_s: float) -> tuple[Samples, Spans]:
        """So much of a speaker's recordings from number ``first`` on, and where in it somebody speaks."""
        paths = self._paths[speaker]
        parts: list[Samples] = []
        spans: Spans = []
        reached_s = 0.0
        for number in range(first, first + min(self._style.utterances, len(paths))):
            samples, speech = _utterance(paths[number % len(paths)])
            own = list(_speech_spans(speech, length_s - reached_s, self._random))
            begin_s, end_s = own[0][0], own[-1][1]
            if parts:
                parts.append(np.zeros(int(MAX_PAUSE_S * RATE_HZ), np.float32))
                reached_s += MAX_PAUSE_S
            parts.append(samples[int(begin_s * RATE_HZ) : int(end_s * RATE_HZ)])
            spans += [(reached_s + a - begin_s, reached_s + b - begin_s) for a, b in own]
            reached_s += end_s - begin_s
            if length_s - reached_s < MIN_TURN_S + MAX_PAUSE_S:
                break
        return np.concatenate(parts), spans

    def _add_speech(self, speaker: int, start_s: float, turn: Samples, spans: Spans) -> float:
        """Puts it on the speaker's track, after what they say already; returns where it begins."""
        start_s = max(start_s, self._busy_until_s[speaker] + 0.05)
        level = LEVEL_RMS * self._levels[speaker]
        if self._style.turn_level_db:
            level *= 10 ** (self._random.normal(0, self._style.turn_level_db) / 20)
        first = int(start_s * RATE_HZ)
        self._tracks[speaker, first : first + len(turn)] += turn * (level / np.sqrt(np.square(turn).mean() + 1e-9))
        self._truth += [SpokenInterval(start_s + a, start_s + b, self._readers[speaker]) for a, b in spans]
        self._busy_until_s[speaker] = start_s + spans[-1][1]
        return start_s

    def _mix(self, until_s: float) -> Samples:
        rooms = np.stack([_in_room(track, self._room, self._random) for track in self._tracks])
        mixed = rooms.sum(0)[: int((until_s + 0.7) * RATE_HZ)]
        noise = _pink(len(mixed), self._random) * np.sqrt(np.square(mixed).mean()) * 10 ** (-self._room.noise_db / 20)
        return np.asarray(np.clip(mixed + noise, -1, 1), np.float32)


def dialogue(
    by_reader: Mapping[str, Sequence[Path]],
    room: Room,
    style: TalkStyle,
    length_s: float,
    random: np.random.Generator,
) -> tuple[Samples, tuple[SpokenInterval, ...]]:
    """Of the recordings of each speaker; about so long. Returns what is heard, and who speaks when."""
    return _DialogueBuilder(by_reader, room, style, length_s, random).build()


@lru_cache(maxsize=256)
def _utterance(path: Path) -> tuple[Samples, Spans]:
    samples = read_samples(path)
    return samples, _speech(samples)


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


def _speech_spans(spans: Spans, length_s: float, random: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Consecutive spans of speech from a random one on, of this total length with their pauses."""
    first = int(random.integers(len(spans)))
    end_s = spans[first][0] + length_s
    for start, end in spans[first:]:
        if min(end, end_s) - start > MIN_SPEECH_S:
            yield start, min(end, end_s)


def _speech(samples: Samples) -> Spans:
    """Where clean read speech is loud, seconds; pauses of up to 0.3 s belong to it."""
    count = len(samples) // FRAME
    power = np.square(samples[: count * FRAME].reshape(count, FRAME)).mean(1)
    level_db = np.convolve(10 * np.log10(power + 1e-12), np.full(3, 1 / 3), "same")
    quiet_db, loud_db = np.percentile(level_db, [5, 95])
    speech = level_db > max(loud_db - PAUSE_DB, min(quiet_db + NOISE_DB, loud_db - NOISE_DB))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], speech.astype(int), [0]]))) / 100
    spans: Spans = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if spans and start - spans[-1][1] <= MAX_PAUSE_S:
            spans[-1] = (spans[-1][0], float(end))
        else:
            spans.append((float(start), float(end)))
    return [span for span in spans if span[1] - span[0] > MIN_SPEECH_S]
