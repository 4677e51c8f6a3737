"""What the confidence of a word is worth: of the words that are this sure, how many are right?

    python -m benchmarks.confidence [--json FILE]

Words of the evaluation data, recognised in this process as uploads are, aligned with the references: hard read speech,
real meetings, synthetic dialogues, other languages. Words written in digits are left out, as the references spell
numbers. A reliability table of the confidence as it is; the calibration (Platt: slope and intercept on the log odds of
the model's own probability) fitted anew on every other recording and judged on the rest; and the mean confidence of a
recording beside its word error rate, with the threshold that best tells those under 30 % from the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.in_process import align_words, as_pcm, default_engine, recognise_words
from benchmarks.recordings import EVAL
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import count_word_errors, folded_words
from benchmarks.spoken_data import TranscribedRecording, languages, meetings, readers
from inference.engine import ModelEngine
from inference.whisper import log_odds, uncalibrated

BINS = 10
RELIABLE_WER = 30.0
# The mean over fewer words says little about a recording.
MIN_WORDS = 30
Values = NDArray[np.float64]


class Calibration(NamedTuple):
    """Of the log odds of the model's own probability."""

    slope: float
    intercept: float

    def __call__(self, odds_: Values) -> Values:
        """Confidences, 0..1."""
        return 1 / (1 + np.exp(-(self.slope * odds_ + self.intercept)))


@dataclass(frozen=True, slots=True)
class ScoredRecording:
    """The words of a recording; arrays have one element a word."""

    name: str
    set_name: str
    confidences: Values
    odds: Values
    """Log odds of the model's own probability."""
    right: Values
    """1 or 0."""
    wer: float
    """Percent; of characters where there are no spaces."""


async def recognise_recording(engine: ModelEngine, spoken: TranscribedRecording) -> ScoredRecording:
    """Recognises a recording."""
    words = await recognise_words(engine, [as_pcm(spoken.samples())])
    reference = folded_words(spoken.text, spoken.language)
    hypothesis = [token for word in words for token in folded_words(word.text, spoken.language)]
    found = [
        (aligned.word.confidence, bool(aligned.reference))
        for aligned in align_words(reference, words, spoken.language)
        if aligned.word.confidence is not None and not any(character.isdigit() for character in aligned.word.text)
    ]
    return ScoredRecording(
        spoken.name,
        spoken.set_name,
        np.array([confidence for confidence, _ in found]),
        np.array([log_odds(uncalibrated(confidence)) for confidence, _ in found]),
        np.array([right for _, right in found], np.float64),
        100 * count_word_errors(reference, hypothesis) / max(1, len(reference)),
    )


def fit_calibration(odds_: Values, right: Values) -> Calibration:
    """The most likely calibration, by Newton's method."""
    inputs = np.stack([odds_, np.ones_like(odds_)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(50):
        expected = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (right - expected)
        curvature = (inputs * (expected * (1 - expected))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(float(weights[0]), float(weights[1]))


def reliability(confidences: Values, right: Values) -> tuple[list[dict[str, Any]], float]:
    """A row for each tenth of the scale that holds words, and the expected calibration error, 0..1."""
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    rows, error = [], 0.0
    for number in np.unique(bins):
        own = bins == number
        mean, share = float(confidences[own].mean()), float(right[own].mean())
        error += abs(mean - share) * float(own.mean())
        rows.append(
            {
                "from": number / BINS,
                "confidence": round(mean, 3),
                "right": round(share, 3),
                "words": int(own.sum()),
            }
        )
    return rows, error


def threshold(means: Values, wers: Values) -> tuple[float, float]:
    """The mean confidence that best tells recordings under RELIABLE_WER from others, and how well (balanced, 0..1)."""
    reliable = wers < RELIABLE_WER
    values = np.unique(means)
    best = (0.5, 0.0)
    for low, high in pairwise(values):
        kept = means >= (low + high) / 2
        score = (float(kept[reliable].mean()) + float((~kept)[~reliable].mean())) / 2
        if score > best[1]:
            best = ((float(low) + float(high)) / 2, score)
    return best


def _concatenated(recordings: Sequence[ScoredRecording], what: str) -> Values:
    return np.concatenate([getattr(recording, what) for recording in recordings])


def summarise(recordings: Sequence[ScoredRecording]) -> dict[str, Any]:
    """Everything that is told of them."""
    even, odd = recordings[::2], recordings[1::2]
    table, table_error = reliability(_concatenated(recordings, "confidences"), _concatenated(recordings, "right"))
    even_fit = fit_calibration(_concatenated(even, "odds"), _concatenated(even, "right"))
    odd_table, odd_error = reliability(even_fit(_concatenated(odd, "odds")), _concatenated(odd, "right"))
    _, before_error = reliability(_concatenated(odd, "confidences"), _concatenated(odd, "right"))
    full_fit = fit_calibration(_concatenated(recordings, "odds"), _concatenated(recordings, "right"))
    known = [recording for recording in recordings if len(recording.odds) >= MIN_WORDS]
    wers = np.array([recording.wer for recording in known])
    thresholds = {}
    for name, means in (
        ("now", np.array([recording.confidences.mean() for recording in known])),
        ("fitted", np.array([even_fit(recording.odds).mean() for recording in known])),
    ):
        cut, balance = threshold(means, wers)
        thresholds[name] = {"confidence": round(cut, 3), "balanced_accuracy": round(balance, 3)}
    return {
        "now": {"table": table, "expected_calibration_error": round(table_error, 4)},
        "fitted_on_even": even_fit._asdict(),
        "odd": {
            "table": odd_table,
            "expected_calibration_error": round(odd_error, 4),
            "before": round(before_error, 4),
        },
        "fitted_on_all": full_fit._asdict(),
        "threshold": thresholds,
        "recordings": [
            {
                "name": recording.name,
                "set": recording.set_name,
                "words": len(recording.odds),
                "wer": round(recording.wer, 1),
                "confidence": round(float(recording.confidences.mean()), 3),
                "fitted": round(float(even_fit(recording.odds).mean()), 3),
            }
            for recording in recordings
            if len(recording.odds)
        ],
    }


async def measure() -> dict[str, Any]:
    """The figures."""
    recordings = []
    async with default_engine() as engine:
        for spoken in [*readers(), *meetings("ami"), *meetings("synthetic"), *languages()]:
            recordings.append(await recognise_recording(engine, spoken))
            print(f"{spoken.set_name} {spoken.name}: {recordings[-1].wer:.1f} %", file=sys.stderr, flush=True)
    return summarise(recordings)


def print_figures(figures: dict[str, Any]) -> None:
    for name, title in (("now", "as it is, all recordings"), ("odd", "fitted on even recordings, told of odd ones")):
        print(f"{title}: expected calibration error {figures[name]['expected_calibration_error']}")
        print(f"{'from':>6}{'confidence':>12}{'right':>8}{'words':>8}")
        for row in figures[name]["table"]:
            print(f"{row['from']:>6}{row['confidence']:>12}{row['right']:>8}{row['words']:>8}")
    print(f"error on odd recordings as it is: {figures['odd']['before']}")
    print(f"fitted on even recordings: {figures['fitted_on_even']}; on all: {figures['fitted_on_all']}")
    print(f"\n{'recording':<32}{'set':<13}{'words':>6}{'WER %':>8}{'confidence':>12}{'fitted':>8}")
    for row in sorted(figures["recordings"], key=lambda row: float(row["wer"])):
        print(
            f"{row['name']:<32}{row['set']:<13}{row['words']:>6}{row['wer']:>8}{row['confidence']:>12}"
            f"{row['fitted']:>8}"
        )
    print(f"thresholds of the mean confidence for WER under {RELIABLE_WER:g} %: {figures['threshold']}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.confidence", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not EVAL.is_dir():
        print(f"no evaluation recordings in {EVAL}", file=sys.stderr)
        return 2
    ensure_scorers()
    figures = asyncio.run(measure())
    print_figures(figures)
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
