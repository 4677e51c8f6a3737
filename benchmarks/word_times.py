"""How right the times of words are, and whether they stay so for two hours.

    python -m benchmarks.word_times [--hours 2] [--json FILE]

Recognised in this process, as uploads are. First the synthetic dialogues, whose references tell to the millisecond
where utterances begin and end: of those whose words were all recognised, the start of the first word and the end of the
last one beside them. Then sparse speech: an utterance every four minutes, silence or faint hiss between, and the starts
of its words beside those of the same utterance when it was first said. Seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.in_process import as_pcm, default_engine, words_heard
from benchmarks.recordings import EVAL, RATE_HZ, read_samples
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import folded_words, matched, read_stm
from inference.engine import ModelEngine
from inference.models import RecognisedWord

DATA = EVAL / "synthetic"
# No multiple of anything that the engine works in.
EVERY_S = 241.37
# Which utterances are said again and again: by dialogue, the first that are long enough.
DIALOGUES, MIN_S = ("d1", "d2_mf", "d3"), 3.0
AROUND_S = 0.3
HISS_DBFS = -60.0
MAX_DRIFT_S = 0.1
# Every utterance is said more than once.
MIN_HOURS = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance put into a long recording."""

    start_s: float
    words: tuple[str, ...]
    pcm: NDArray[np.int16]


def errors_of_utterances(path: Path, words: Sequence[RecognisedWord]) -> tuple[list[float], list[float], int]:
    """Errors of starts and of ends of the utterances that were recognised whole, and how many there are in all."""
    utterances = read_stm(path)
    said = [(token, number) for number, one in enumerate(utterances) for token in folded_words(one.text)]
    heard = [(token, word) for word in words for token in folded_words(word.text)]
    places = dict(matched([token for token, _ in said], [token for token, _ in heard]))
    starts, ends = [], []
    for number, utterance in enumerate(utterances):
        own = [place for place, (_, of) in enumerate(said) if of == number]
        found = [places[place] for place in own if place in places]
        if len(found) == len(own) and found == list(range(found[0], found[-1] + 1)):
            starts.append(heard[found[0]][1].start_s - utterance.start_s)
            ends.append(heard[found[-1]][1].end_s - utterance.end_s)
    return starts, ends, len(utterances)


def spread(errors: Sequence[float]) -> dict[str, float]:
    """Median with its sign; median and p95 of the size."""
    size = np.abs(errors)
    return {
        "median_s": round(float(np.median(errors)), 3),
        "median_size_s": round(float(np.median(size)), 3),
        "p95_size_s": round(float(np.percentile(size, 95)), 3),
    }


async def of_utterances(engine: ModelEngine) -> dict[str, Any]:
    """The figures of the dialogues."""
    starts: list[float] = []
    ends: list[float] = []
    total = 0
    for path in sorted(DATA.glob("*.flac")):
        words = await words_heard(engine, [as_pcm(read_samples(path))])
        own_starts, own_ends, count = errors_of_utterances(path.with_suffix(".stm"), words)
        starts, ends, total = [*starts, *own_starts], [*ends, *own_ends], total + count
    return {"utterances": total, "whole": len(starts), "starts": spread(starts), "ends": spread(ends)}


def sparse(hours: float) -> list[Said]:
    """What is said when: a few utterances in turn."""
    chosen = []
    for name in DIALOGUES:
        samples = as_pcm(read_samples(DATA / f"{name}.flac"))
        one = next(u for u in read_stm(DATA / f"{name}.stm") if u.end_s - u.start_s >= MIN_S)
        first, last = int((one.start_s - AROUND_S) * RATE_HZ), int((one.end_s + AROUND_S) * RATE_HZ)
        chosen.append((tuple(folded_words(one.text)), samples[max(0, first) : last]))
    places = np.arange(10.0, hours * 3600 - 30, EVERY_S)
    return [Said(float(place), *chosen[number % len(chosen)]) for number, place in enumerate(places)]


def audio_of(said: Sequence[Said], hours: float) -> Iterator[NDArray[np.int16]]:
    """The recording: before every other utterance silence, before the rest hiss, which goes on under the speech."""
    random = np.random.default_rng(0)
    heard, end = 0, int(hours * 3600 * RATE_HZ)
    for number, one in enumerate(said):
        level = 32768 * 10 ** (HISS_DBFS / 20) * (number % 2)
        gap = int(one.start_s * RATE_HZ) - heard
        yield np.round(level * random.standard_normal(gap)).astype(np.int16)
        noise = np.round(level * random.standard_normal(len(one.pcm))).astype(np.int16)
        yield one.pcm + noise
        heard += gap + len(one.pcm)
    yield np.zeros(end - heard, np.int16)


def drifts_of(said: Sequence[Said], words: Sequence[RecognisedWord]) -> tuple[list[dict[str, Any]], list[float]]:
    """A row for each utterance after the first of its kind, and how far off each of its words is."""
    first: dict[tuple[str, ...], dict[int, float]] = {}
    rows, every = [], []
    for one in said:
        end_s = one.start_s + len(one.pcm) / RATE_HZ
        own = [word for word in words if one.start_s - 1 <= word.start_s <= end_s + 1]
        heard = [(token, word.start_s - one.start_s) for word in own for token in folded_words(word.text)]
        starts = {place: heard[at][1] for place, at in matched(one.words, [token for token, _ in heard])}
        if one.words not in first:
            first[one.words] = starts
            continue
        drifts = [start_s - first[one.words][place] for place, start_s in starts.items() if place in first[one.words]]
        every += drifts
        rows.append(
            {
                "at_s": round(one.start_s, 1),
                "words": len(drifts),
                "of": len(one.words),
                "largest_s": round(max(map(abs, drifts), default=float("nan")), 3),
            }
        )
    return rows, every


async def over_hours(engine: ModelEngine, hours: float) -> dict[str, Any]:
    """The figures of the sparse recording."""
    said = sparse(hours)
    words = await words_heard(engine, audio_of(said, hours))
    rows, drifts = drifts_of(said, words)
    invented = [
        word.text
        for word in words
        if not any(one.start_s - 1 <= word.start_s <= one.start_s + len(one.pcm) / RATE_HZ + 1 for one in said)
    ]
    return {
        "hours": hours,
        "utterances": len(said),
        "drift": spread(drifts),
        "largest_s": round(float(np.abs(drifts).max()), 3),
        "words_between": invented,
        "rows": rows,
    }


async def measure(hours: float) -> dict[str, Any]:
    """The figures."""
    async with default_engine() as engine:
        utterances = await of_utterances(engine)
        print(f"utterances recognised whole: {utterances['whole']} of {utterances['utterances']}")
        for name in ("starts", "ends"):
            print(f"  {name}: {utterances[name]}", flush=True)
        long = await over_hours(engine, hours)
        print(f"an utterance every {EVERY_S:g} s for {hours:g} h: {long['drift']}, largest {long['largest_s']} s")
        for row in long["rows"]:
            print(f"  at {row['at_s']:>7} s: {row['words']} of {row['of']} words, largest {row['largest_s']} s")
        print(f"  words between: {long['words_between']}")
    return {"utterances": utterances, "sparse": long}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_times", description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0, help="length of the sparse recording")
    parser.add_argument("--json", type=Path, help="write the figures here")
    given = parser.parse_args()
    if given.hours < MIN_HOURS:
        parser.error(f"--hours: at least {MIN_HOURS:g}, so that every utterance is said more than once")
    if not DATA.is_dir():
        print(f"no dialogues in {DATA}", file=sys.stderr)
        return 2
    ensure_scorers()
    figures = asyncio.run(measure(given.hours))
    if given.json:
        given.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0 if figures["sparse"]["largest_s"] < MAX_DRIFT_S else 1


if __name__ == "__main__":
    sys.exit(main())
