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
