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

from benchmarks.in_process import as_pcm, default_engine, recognise_words
from benchmarks.recordings import EVAL, RATE_HZ, read_samples
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import equal_word_pairs, folded_words, read_stm
from inference.engine import ModelEngine
from inference.models import RecognisedWord

DATA = EVAL / "synthetic"
# No multiple of anything that the engine works in.
EVERY_S = 241.37
# Which utterances are said again and again: by dialogue, the first that are long enough.
DIALOGUES, MIN_S = ("d1", "d2_mf", "d3"), 3.0
MARGIN_S = 0.3
HISS_DBFS = -60.0
MAX_DRIFT_S = 0.1
# Every utterance is said more than once.
MIN_HOURS = 0.5


@dataclass(frozen=True, slots=True)
class RepeatedUtterance:
    """An utterance put into a long recording."""

    start_s: float
    words: tuple[str, ...]
    pcm: NDArray[np.int16]


def utterance_errors(path: Path, words: Sequence[RecognisedWord]) -> tuple[list[float], list[float], int]:
    """Errors of starts and of ends of the utterances that were recognised whole, and how many there are in all."""
    utterances = read_stm(path)
    reference_tokens = [(token, number) for number, one in enumerate(utterances) for token in folded_words(one.text)]
    word_tokens = [(token, word) for word in words for token in folded_words(word.text)]
    word_indices = dict(equal_word_pairs([token for token, _ in reference_tokens], [token for token, _ in word_tokens]))
    starts, ends = [], []
    for number, utterance in enumerate(utterances):
        own = [index for index, (_, of) in enumerate(reference_tokens) if of == number]
        found = [word_indices[index] for index in own if index in word_indices]
        if len(found) == len(own) and found == list(range(found[0], found[-1] + 1)):
            starts.append(word_tokens[found[0]][1].start_s - utterance.start_s)
            ends.append(word_tokens[found[-1]][1].end_s - utterance.end_s)
    return starts, ends, len(utterances)


def spread(errors: Sequence[float]) -> dict[str, float]:
    """Median with its sign; median and p95 of the size."""
    size = np.abs(errors)
    return {
        "median_s": round(float(np.median(errors)), 3),
        "median_size_s": round(float(np.median(size)), 3),
        "p95_size_s": round(float(np.percentile(size, 95)), 3),
    }


async def measure_dialogues(engine: ModelEngine) -> dict[str, Any]:
    """The figures of the dialogues."""
    starts: list[float] = []
    ends: list[float] = []
    total = 0
    for path in sorted(DATA.glob("*.flac")):
        words = await recognise_words(engine, [as_pcm(read_samples(path))])
        own_starts, own_ends, count = utterance_errors(path.with_suffix(".stm"), words)
        starts, ends, total = [*starts, *own_starts], [*ends, *own_ends], total + count
    return {"utterances": total, "whole": len(starts), "starts": spread(starts), "ends": spread(ends)}


def sparse(hours: float) -> list[RepeatedUtterance]:
    """What is said when: a few utterances in turn."""
    chosen = []
    for name in DIALOGUES:
        samples = as_pcm(read_samples(DATA / f"{name}.flac"))
        one = next(u for u in read_stm(DATA / f"{name}.stm") if u.end_s - u.start_s >= MIN_S)
        first, last = int((one.start_s - MARGIN_S) * RATE_HZ), int((one.end_s + MARGIN_S) * RATE_HZ)
        chosen.append((tuple(folded_words(one.text)), samples[max(0, first) : last]))
    starts_s = np.arange(10.0, hours * 3600 - 30, EVERY_S)
    return [RepeatedUtterance(float(start_s), *chosen[number % len(chosen)]) for number, start_s in enumerate(starts_s)]


def sparse_audio(utterances: Sequence[RepeatedUtterance], hours: float) -> Iterator[NDArray[np.int16]]:
    """The recording: before every other utterance silence, before the rest hiss, which goes on under the speech."""
    random = np.random.default_rng(0)
    written_samples, end = 0, int(hours * 3600 * RATE_HZ)
    for number, utterance in enumerate(utterances):
        level = 32768 * 10 ** (HISS_DBFS / 20) * (number % 2)
        gap = int(utterance.start_s * RATE_HZ) - written_samples
        yield np.round(level * random.standard_normal(gap)).astype(np.int16)
        noise = np.round(level * random.standard_normal(len(utterance.pcm))).astype(np.int16)
        yield utterance.pcm + noise
        written_samples += gap + len(utterance.pcm)
    yield np.zeros(end - written_samples, np.int16)


def compute_drifts(
    utterances: Sequence[RepeatedUtterance], words: Sequence[RecognisedWord]
) -> tuple[list[dict[str, Any]], list[float]]:
    """A row for each utterance after the first of its kind, and how far off each of its words is."""
    first: dict[tuple[str, ...], dict[int, float]] = {}
    rows, every = [], []
    for utterance in utterances:
        end_s = utterance.start_s + len(utterance.pcm) / RATE_HZ
        own = [word for word in words if utterance.start_s - 1 <= word.start_s <= end_s + 1]
        word_starts = [(token, word.start_s - utterance.start_s) for word in own for token in folded_words(word.text)]
        starts = {
            index: word_starts[at][1]
            for index, at in equal_word_pairs(utterance.words, [token for token, _ in word_starts])
        }
        if utterance.words not in first:
            first[utterance.words] = starts
            continue
        drifts = [
            start_s - first[utterance.words][index]
            for index, start_s in starts.items()
            if index in first[utterance.words]
        ]
        every += drifts
        rows.append(
            {
                "at_s": round(utterance.start_s, 1),
                "words": len(drifts),
                "of": len(utterance.words),
                "largest_s": round(max(map(abs, drifts), default=float("nan")), 3),
            }
        )
    return rows, every


async def measure_sparse(engine: ModelEngine, hours: float) -> dict[str, Any]:
    """The figures of the sparse recording."""
    utterances = sparse(hours)
    words = await recognise_words(engine, sparse_audio(utterances, hours))
    rows, drifts = compute_drifts(utterances, words)
    invented = [
        word.text
        for word in words
        if not any(
            utterance.start_s - 1 <= word.start_s <= utterance.start_s + len(utterance.pcm) / RATE_HZ + 1
            for utterance in utterances
        )
    ]
    return {
        "hours": hours,
        "utterances": len(utterances),
        "drift": spread(drifts),
        "largest_s": round(float(np.abs(drifts).max()), 3),
        "words_between": invented,
        "rows": rows,
    }


async def measure(hours: float) -> dict[str, Any]:
    """The figures."""
    async with default_engine() as engine:
        utterances = await measure_dialogues(engine)
        print(f"utterances recognised whole: {utterances['whole']} of {utterances['utterances']}")
        for name in ("starts", "ends"):
            print(f"  {name}: {utterances[name]}", flush=True)
        long = await measure_sparse(engine, hours)
        print(f"an utterance every {EVERY_S:g} s for {hours:g} h: {long['drift']}, largest {long['largest_s']} s")
        for row in long["rows"]:
            print(f"  at {row['at_s']:>7} s: {row['words']} of {row['of']} words, largest {row['largest_s']} s")
        print(f"  words between: {long['words_between']}")
    return {"utterances": utterances, "sparse": long}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_times", description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0, help="length of the sparse recording, hours")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if options.hours < MIN_HOURS:
        parser.error(f"--hours: must be at least {MIN_HOURS:g}, so that every utterance is repeated")
    if not DATA.is_dir():
        print(f"no dialogues in {DATA}", file=sys.stderr)
        return 2
    ensure_scorers()
    figures = asyncio.run(measure(options.hours))
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0 if figures["sparse"]["largest_s"] < MAX_DRIFT_S else 1


if __name__ == "__main__":
    sys.exit(main())
