"""Diarization and word error rates by the field's own libraries; rates are in percent."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment


class SpokenInterval(NamedTuple):
    """A span of one speaker, seconds."""

    start_s: float
    end_s: float
    speaker: str


def read_rttm(path: Path) -> list[SpokenInterval]:
    """The SPEAKER lines of an RTTM file."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [SpokenInterval(float(r[3]), float(r[3]) + float(r[4]), r[7]) for r in rows if r and r[0] == "SPEAKER"]


class ReferenceUtterance(NamedTuple):
    """What a speaker says at once; seconds."""

    start_s: float
    end_s: float
    speaker: str
    text: str


def read_stm(path: Path) -> list[ReferenceUtterance]:
    """The utterances of an STM file, in the order of their starts."""
    lines = [line.split(maxsplit=5) for line in path.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if len(line) == 6 and not line[0].startswith(";;")]
    utterances = [ReferenceUtterance(float(line[3]), float(line[4]), line[2], line[5]) for line in lines]
    return sorted(utterances, key=lambda utterance: utterance.start_s)


def read_stm_words(path: Path) -> str:
    """All words of an STM file, utterances in the order of their starts."""
    return " ".join(utterance.text for utterance in read_stm(path))


def read_stm_speakers(path: Path) -> dict[str, str]:
    """What each speaker of an STM file says, utterances in the order of their starts."""
    texts_by_speaker: dict[str, list[str]] = {}
    for utterance in read_stm(path):
        texts_by_speaker.setdefault(utterance.speaker, []).append(utterance.text)
    return {speaker: " ".join(texts) for speaker, texts in texts_by_speaker.items()}


class DiarizationErrors(NamedTuple):
    """Percent of the time that the reference's speakers speak, overlap counted for each."""

    missed: float
    false_alarm: float
    confusion: float
    """Told of another speaker."""

    @property
    def rate(self) -> float:
        """DER."""
        return self.missed + self.false_alarm + self.confusion


def diarization_errors(
    reference: Sequence[SpokenInterval],
    hypothesis: Sequence[SpokenInterval],
    duration_s: float | None,
    collar_s: float,
    skip_overlap: bool = False,
) -> DiarizationErrors:
    """What DER is made of, ``collar_s`` left out on each side of every reference border.

    ``duration_s``: the whole file is scored; None: from the first to the last speech.
    """
    from pyannote.core import Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    # pyannote's collar is the total width around a border.
    metric = DiarizationErrorRate(collar=2 * collar_s, skip_overlap=skip_overlap)
    scored = Timeline([Segment(0, duration_s)]) if duration_s is not None else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Any = metric(to_annotation(reference), to_annotation(hypothesis), uem=scored, detailed=True)
    parts = [found[name] for name in ("missed detection", "false alarm", "confusion")]
    if not found["total"]:  # nobody speaks: all that is told is wrong, as pyannote has it
        return DiarizationErrors(0.0, 100.0 if sum(parts) else 0.0, 0.0)
    return DiarizationErrors(*(100 * float(part) / float(found["total"]) for part in parts))


def diarization_error_rate(
    reference: Sequence[SpokenInterval],
    hypothesis: Sequence[SpokenInterval],
    duration_s: float | None,
    collar_s: float,
    skip_overlap: bool = False,
) -> float:
    """DER in percent; arguments as those of ``diarization_errors``."""
    return diarization_errors(reference, hypothesis, duration_s, collar_s, skip_overlap).rate


def jaccard_error_rate(
    reference: Sequence[SpokenInterval], hypothesis: Sequence[SpokenInterval], duration_s: float
) -> float:
    """JER in percent, no collar, the whole file: every speaker counts the same, however little they say.

    Source: Ryant et al., "The Second DIHARD Diarization Challenge", Interspeech 2019, section 3.2.
    """
    from pyannote.core import Segment, Timeline
    from pyannote.metrics.diarization import JaccardErrorRate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scored = Timeline([Segment(0, duration_s)])
        metric: Any = JaccardErrorRate()  # type: ignore[no-untyped-call]
        return 100 * float(metric(to_annotation(reference), to_annotation(hypothesis), uem=scored))


def to_annotation(intervals: Sequence[SpokenInterval]) -> Any:
    """As pyannote's Annotation; intervals without a length are left out."""
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for index, (start_s, end_s, speaker) in enumerate(intervals):
        if end_s > start_s:
            annotation[Segment(start_s, end_s), index] = speaker
    return annotation


def word_error_rate(reference: str, hypothesis: str) -> float:
    """WER in percent, lower-cased, without punctuation and hesitations."""
    import jiwer

    return 100 * float(jiwer.wer(_plain(reference), _plain(hypothesis)))


def concatenated_word_error_rate(reference: Mapping[str, str], hypothesis: Mapping[str, str]) -> float:
    """cpWER in percent: the words of each speaker together, speakers matched so that errors are fewest.

    Words of speakers without a match all count as errors. Source: Watanabe et al., "CHiME-6 Challenge", 2020,
    section 4.2. Errors add up over speakers, so the best matching is an assignment problem.
    """
    references, hypotheses = ([_plain(text) for text in side.values()] for side in (reference, hypothesis))
    size = max(len(references), len(hypotheses))
    references, hypotheses = (side + [""] * (size - len(side)) for side in (references, hypotheses))
    errors = np.array(
        [
            [_word_errors(reference_text, hypothesis_text) for hypothesis_text in hypotheses]
            for reference_text in references
        ]
    )
    words = sum(len(text.split()) for text in references)
    return 100 * float(errors[linear_sum_assignment(errors)].sum()) / max(1, words)


def _word_errors(reference: str, hypothesis: str) -> int:
    import jiwer

    if not reference or not hypothesis:
        return len((reference or hypothesis).split())
    found = jiwer.process_words(reference, hypothesis)
    return found.substitutions + found.deletions + found.insertions


# Sounds of hesitation, which recognisers that write readable text leave out: no word of either side. The list is that
# of Whisper's published normaliser.
HESITATIONS = frozenset(["hmm", "mm", "mhm", "mmm", "uh", "um"])


def _plain(text: str) -> str:
    words = re.sub(r"[^a-z0-9' ]+", " ", text.lower().replace("_", " ")).split()
    return " ".join(word for word in words if word not in HESITATIONS)


# Written without spaces: errors are counted by character.
BY_CHARACTER = frozenset(["zh", "ja"])


def folded_words(text: str, language: str = "") -> list[str]:
    """The words of a text in any language, or its characters where it is written without spaces.

    Compatible forms of a character are one (NFKC); neither case nor punctuation counts.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    words = [word.strip("'") for word in re.sub(r"[^\w']+|_", " ", plain).split()]
    return list("".join(words)) if language in BY_CHARACTER else [word for word in words if word]


def count_word_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Words substituted, left out and put in."""
    return _word_errors(" ".join(reference), " ".join(hypothesis))


def equal_word_pairs(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the words that are right, in both, as they are aligned with the fewest errors."""
    import jiwer

    if not reference or not hypothesis:
        return []
    (chunks,) = jiwer.process_words(" ".join(reference), " ".join(hypothesis)).alignments
    return [
        (chunk.ref_start_idx + i, chunk.hyp_start_idx + i)
        for chunk in chunks
        if chunk.type == "equal"
        for i in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]


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
    indices = range(n - k)
    pk = sum((truth[i] == truth[i + k]) != (found[i] == found[i + k]) for i in indices)
    window = sum(truth[i + k] - truth[i] != found[i + k] - found[i] for i in indices)
    return pk / max(1, len(indices)), window / max(1, len(indices))
