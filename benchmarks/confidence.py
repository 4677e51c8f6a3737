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

from benchmarks.in_process import as_pcm, default_engine, judged, words_heard
from benchmarks.recordings import EVAL
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import errors_of, folded_words
from benchmarks.spoken_data import Spoken, languages, meetings, readers
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
class Recording:
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


async def heard(engine: ModelEngine, spoken: Spoken) -> Recording:
    """Recognises a recording."""
    words = await words_heard(engine, [as_pcm(spoken.samples())])
    reference = folded_words(spoken.text, spoken.language)
    hypothesis = [token for word in words for token in folded_words(word.text, spoken.language)]
    found = [
        (one.word.confidence, bool(one.reference))
        for one in judged(reference, words, spoken.language)
        if one.word.confidence is not None and not any(character.isdigit() for character in one.word.text)
    ]
    return Recording(
        spoken.name,
        spoken.set_name,
        np.array([confidence for confidence, _ in found]),
        np.array([log_odds(uncalibrated(confidence)) for confidence, _ in found]),
        np.array([right for _, right in found], np.float64),
        100 * errors_of(reference, hypothesis) / max(1, len(reference)),
    )


def fitted(odds_: Values, right: Values) -> Calibration:
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
    places = np.unique(means)
    best = (0.5, 0.0)
    for low, high in pairwise(places):
        kept = means >= (low + high) / 2
        score = (float(kept[reliable].mean()) + float((~kept)[~reliable].mean())) / 2
        if score > best[1]:
            best = ((float(low) + float(high)) / 2, score)
    return best


def _joined(recordings: Sequence[Recording], what: str) -> Values:
    return np.concatenate([getattr(recording, what) for recording in recordings])


def figures_of(recordings: Sequence[Recording]) -> dict[str, Any]:
    """Everything that is told of them."""
    even, odd = recordings[::2], recordings[1::2]
    now, now_error = reliability(_joined(recordings, "confidences"), _joined(recordings, "right"))
    half = fitted(_joined(even, "odds"), _joined(even, "right"))
    held, held_error = reliability(half(_joined(odd, "odds")), _joined(odd, "right"))
    _, before_error = reliability(_joined(odd, "confidences"), _joined(odd, "right"))
    whole = fitted(_joined(recordings, "odds"), _joined(recordings, "right"))
    known = [one for one in recordings if len(one.odds) >= MIN_WORDS]
    wers = np.array([one.wer for one in known])
    thresholds = {}
    for name, means in (
        ("now", np.array([one.confidences.mean() for one in known])),
        ("fitted", np.array([half(one.odds).mean() for one in known])),
    ):
        place, balance = threshold(means, wers)
        thresholds[name] = {"confidence": round(place, 3), "balanced_accuracy": round(balance, 3)}
    return {
        "now": {"table": now, "expected_calibration_error": round(now_error, 4)},
        "fitted_on_even": half._asdict(),
        "odd": {
            "table": held,
            "expected_calibration_error": round(held_error, 4),
            "before": round(before_error, 4),
        },
        "fitted_on_all": whole._asdict(),
        "threshold": thresholds,
        "recordings": [
            {
                "name": one.name,
                "set": one.set_name,
                "words": len(one.odds),
                "wer": round(one.wer, 1),
                "confidence": round(float(one.confidences.mean()), 3),
                "fitted": round(float(half(one.odds).mean()), 3),
            }
            for one in recordings
            if len(one.odds)
        ],
    }


async def measure() -> dict[str, Any]:
    """The figures."""
    recordings = []
    async with default_engine() as engine:
        for spoken in [*readers(), *meetings("ami"), *meetings("synthetic"), *languages()]:
            recordings.append(await heard(engine, spoken))
            print(f"{spoken.set_name} {spoken.name}: {recordings[-1].wer:.1f} %", file=sys.stderr, flush=True)
    return figures_of(recordings)


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
    parser.add_argument("--json", type=Path, help="write the figures here")
    given = parser.parse_args()
    if not EVAL.is_dir():
        print(f"no evaluation recordings in {EVAL}", file=sys.stderr)
        return 2
    ensure_scorers()
    figures = asyncio.run(measure())
    print_figures(figures)
    if given.json:
        given.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
