"""How far each score of ours lies from the same score computed from the truth.

    python -m benchmarks.metrics [--data DIR ...] [--json FILE]

For every recording with ground truth the scores are computed twice by the same functions: from
the reference turns (.rttm) and words (.stm), and from what the whole server path stored of the
recording. Vocal activation has no ground truth and is left out of the energy on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from benchmarks.accuracy import DEFAULT_DATA, find_recordings, stored_conversation
from benchmarks.overlap_scoring import reference_conversation
from benchmarks.running_system import ROOT, circumstances, running_system
from benchmarks.scoring import read_rttm
from inference.models import ModelSet
from inference.selection import load_default_models
from server.conversation import Conversation, Sentence, is_question
from server.insights import (
    QUESTIONS,
    MeetingFacts,
    Timeline,
    balance,
    energy_value,
    flow,
    interaction_components,
    interaction_value,
    interruptions,
    meeting_emotions,
    sentiment,
    talking_share,
)

Score = Callable[[MeetingFacts, Timeline], float]


def _longest_turn_s(line: Timeline) -> float:
    return max(((t.end_us - t.start_us) / 1e6 for t in line.turns), default=0.0)


def _latency_ms(line: Timeline) -> float:
    gaps = [(b.start_us - a.end_us) / 1000 for a, b in zip(line.turns, line.turns[1:], strict=False)]
    return median(gaps) if gaps else 0.0


def _patience_ms(meeting: MeetingFacts) -> float:
    """Of the middle one of the speakers who have any."""
    waits = [speaker["patience_ms"] for speaker in meeting.cached(flow)["speakers"]]
    return float(median([wait for wait in waits if wait is not None] or [0.0]))


def _component(name: str) -> Score:
    return lambda _, line: next(100 * p.value for p in interaction_components(line, line.full_window) if p.name == name)


SCORES: dict[str, Score] = {
    "speakers": lambda _, line: len(line.speakers),
    "balance_score": lambda _, line: balance(line).score,
    "largest share %": lambda _, line: _largest_share(line),
    "interaction_score": lambda _, line: interaction_value(line, line.full_window),
    "  turn_taking": _component("turn_taking"),
    "  switch_rate": _component("switch_rate"),
    "  participation": _component("participation"),
    "  evenness": _component("evenness"),
    "energy_score": lambda _, line: energy_value(line, line.full_window),
    "talking_time %": lambda _, line: 100 * talking_share(line, line.full_window),
    "longest turn s": lambda _, line: _longest_turn_s(line),
    "latency ms": lambda _, line: _latency_ms(line),
    "overlap %": lambda meeting, _: _overlap_percent(meeting),
    "interruptions": lambda _, line: sum(one.successful for one in interruptions(line).values()),
    "  failed": lambda _, line: sum(one.failed for one in interruptions(line).values()),
    "patience ms": lambda meeting, _: _patience_ms(meeting),
    "sentiment_score": lambda _, line: _sentiment(line),
    "neutral %": lambda _, line: _emotion(line, "neutral"),
    "happiness %": lambda _, line: _emotion(line, "happiness"),
    "questions": lambda meeting, _: len(meeting.document(QUESTIONS)["questions"]),
}


def _overlap_percent(meeting: MeetingFacts) -> float:
    """Not a number where the engine cannot hear two at once."""
    ratio = meeting.cached(flow)["overlap_ratio"]
    return math.nan if ratio is None else 100 * ratio


def _sentiment(line: Timeline) -> float:
    """Not a number where the recogniser took the recording for another language than English."""
    score = sentiment(line).score
    return math.nan if score is None else score


def _emotion(line: Timeline, name: str) -> float:
    percentages = meeting_emotions(line).percentages
    return math.nan if percentages is None else percentages[name]


def _largest_share(line: Timeline) -> float:
    times = [line.speaking_us(speaker, line.full_window) for speaker in line.speakers]
    return 100 * max(times) / sum(times) if sum(times) else 0.0


def reference(path: Path, duration_us: int, models: ModelSet) -> Conversation:
    """The conversation as the annotators heard it, its utterances read by the same models."""
    turns = sorted(read_rttm(path.with_suffix(".rttm")))
    names = {name: number for number, name in enumerate(dict.fromkeys(turn.speaker for turn in turns), start=1)}
    return replace(
        reference_conversation(turns, duration_us), sentences=_sentences(path.with_suffix(".stm"), names, models)
    )


def _sentences(stm: Path, names: dict[str, int], models: ModelSet) -> tuple[Sentence, ...]:
    lines = [line.split(maxsplit=5) for line in stm.read_text(encoding="utf-8").splitlines()] if stm.exists() else []
    lines = [line for line in lines if len(line) == 6 and not line[0].startswith(";;")]
    texts = [line[5].lower() for line in lines]
    vectors = models.text_encoder(texts)
    polarities = models.sentiment(texts, vectors)
    emotions = models.emotions(texts, vectors)
    return tuple(
        Sentence(
            1,
            names.get(line[2], 0),
            round(float(line[3]) * 1e6),
            round(float(line[4]) * 1e6),
            text,
            is_question(text),
            float(polarity),
            tuple(map(float, feelings)),
            np.asarray(vector, "<f2").tobytes(),
        )
        for line, text, polarity, feelings, vector in zip(lines, texts, polarities, emotions, vectors, strict=True)
    )


def compute_scores(conversation: Conversation) -> dict[str, float]:
    """Every score, vocal activation left out."""
    unheard = replace(conversation, segments=tuple(replace(s, acoustics=None) for s in conversation.segments))
    meeting = MeetingFacts(unheard)
    line = replace(meeting.timeline, activations=(None,) * len(meeting.timeline.utterances))
    return {name: round(float(score(meeting, line)), 2) for name, score in SCORES.items()}


async def measure(paths: list[Path], models: ModelSet) -> list[dict[str, Any]]:
    """A row for each recording: truth, ours and absolute error of each score."""
    rows = []
    with running_system() as system:
        async with system.client() as client:
            for path in paths:
                found = await stored_conversation(system, client, path)
                truth, ours = compute_scores(reference(path, found.duration_us, models)), compute_scores(found)
                errors = {name: round(abs(ours[name] - truth[name]), 2) for name in SCORES}
                named = {"name": path.stem, "folder": path.parent.name}
                rows.append({**named, "truth": truth, "ours": ours, "error": errors})
                print(f"{path.stem}: done", flush=True)
    return rows


def print_table(rows: list[dict[str, Any]]) -> None:
    """Truth / ours of every recording, and the mean absolute errors."""
    names = "".join(f"{row['name']:>15}" for row in rows)
    print(f"\n{'score (truth / ours)':<20}{names}{'mean |error|':>14}")
    for name in SCORES:
        cells = "".join(f"{row['truth'][name]:>7.1f}/{row['ours'][name]:<7.1f}" for row in rows)
        print(f"{name:<20}{cells}{fmean(row['error'][name] for row in rows):>14.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", help="folders of recordings with ground truth")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    folders = options.data or [folder for folder in DEFAULT_DATA if folder.is_dir()] or [ROOT / "sample"]
    paths = find_recordings(folders)
    if not paths:
        print(f"no .flac or .wav with an .rttm beside it in {', '.join(map(str, folders))}", file=sys.stderr)
        return 2
    models = load_default_models(threads=1, recogniser_workers=1)
    rows = asyncio.run(measure(paths, models))
    for folder in sorted({row["folder"] for row in rows}):
        print_table([row for row in rows if row["folder"] == folder])
    if options.json:
        means = {name: round(fmean(row["error"][name] for row in rows), 2) for name in SCORES}
        figures = {"recordings": rows, "mean_absolute_error": means, **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
