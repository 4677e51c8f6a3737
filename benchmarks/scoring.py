"""Diarization and word error rates by the field's own libraries; rates are in percent."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class SpokenInterval(NamedTuple):
    """A stretch of one speaker, seconds."""

    start_s: float
    end_s: float
    speaker: str


def read_rttm(path: Path) -> list[SpokenInterval]:
    """The SPEAKER lines of an RTTM file."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [SpokenInterval(float(r[3]), float(r[3]) + float(r[4]), r[7]) for r in rows if r and r[0] == "SPEAKER"]


def read_stm_words(path: Path) -> str:
    """All words of an STM file, utterances in the order of their starts."""
    lines = [line.split(maxsplit=5) for line in path.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if len(line) == 6 and not line[0].startswith(";;")]
    return " ".join(line[5] for line in sorted(lines, key=lambda line: float(line[3])))


def diarization_error_rate(
    reference: Sequence[SpokenInterval],
    hypothesis: Sequence[SpokenInterval],
    duration_s: float | None,
    collar_s: float,
    skip_overlap: bool = False,
) -> float:
    """DER in percent, ``collar_s`` left out on each side of every reference border.

    ``duration_s``: the whole file is scored; None: from the first to the last speech.
    """
    from pyannote.core import Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    # pyannote's collar is the total width around a border.
    metric = DiarizationErrorRate(collar=2 * collar_s, skip_overlap=skip_overlap)
    scored = Timeline([Segment(0, duration_s)]) if duration_s is not None else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return 100 * float(metric(_annotation(reference), _annotation(hypothesis), uem=scored))


def _annotation(intervals: Sequence[SpokenInterval]) -> Any:
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for index, (start_s, end_s, speaker) in enumerate(intervals):
        if end_s > start_s:
            annotation[Segment(start_s, end_s), index] = speaker
    return annotation


def word_error_rate(reference: str, hypothesis: str) -> float:
    """WER in percent, lower-cased and without punctuation."""
    import jiwer

    return 100 * float(jiwer.wer(_plain(reference), _plain(hypothesis)))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9' ]+", " ", text.lower().replace("_", " ")).split())


class Detection(NamedTuple):
    """How well something is found, each 0..1."""

    precision: float
    recall: float
    f1: float


def detection(truth: Sequence[bool], found: Sequence[bool]) -> Detection:
    """Precision, recall and F1 of the positives."""
    hits = sum(t and f for t, f in zip(truth, found, strict=True))
    precision, recall = hits / max(1, sum(found)), hits / max(1, sum(truth))
    return Detection(precision, recall, 2 * precision * recall / max(1e-9, precision + recall))


def macro_f1(truth: Sequence[str], found: Sequence[str]) -> float:
    """Mean F1 over the classes of ``truth``, 0..1."""
    classes = sorted(set(truth))
    return sum(detection([t == c for t in truth], [f == c for f in found]).f1 for c in classes) / len(classes)


def segmentation_errors(truth: Sequence[int], found: Sequence[int]) -> tuple[float, float]:
    """Pk (Beeferman et al. 1999) and WindowDiff (Pevzner and Hearst 2002) of two segmentations, 0..1, lower is better.

    Both give the number of the segment that each unit lies in, non-decreasing; the probe is half
    the mean length of a true segment.
    """
    n = len(truth)
    k = max(2, round(n / (len(set(truth))) / 2))
    places = range(n - k)
    pk = sum((truth[i] == truth[i + k]) != (found[i] == found[i + k]) for i in places)
    window = sum(truth[i + k] - truth[i] != found[i + k] - found[i] for i in places)
    return pk / max(1, len(places)), window / max(1, len(places))
