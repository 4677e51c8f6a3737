"""What is read in words, on labelled text, each beside the simplest baseline.

    python -m benchmarks.text [--json FILE]

Questions: AMI and MRDA dialogue acts, with punctuation (as the default recogniser gives it) and
without; baseline: the last character is "?", and of bare words: the first word is a question
word or an auxiliary. Sentiment and emotions: MELD; baseline: the
most frequent class. Topics: AMI and QMSum, by the sentence vectors of English and "by words", as in every other
language; baseline: as many uniform cuts as ours. Summaries: the share of the chosen sentences that the AMI annotators'
summary rests on, likewise by both; baseline: the same share of all sentences that are long enough.
"""

from __future__ import annotations

import argparse
import json
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.labelled_text import (
    TimedText,
    TopicExample,
    ami_acts,
    ami_summarised,
    meld,
    mrda,
    topic_meetings,
    without_marks,
)
from benchmarks.recordings import EVAL
from benchmarks.running_system import circumstances
from benchmarks.scoring import detection, macro_f1, segmentation_errors
from inference.models import EMOTIONS, ModelSet
from inference.selection import load_default_models
from inference.text import BlendedSentiment
from server.conversation import Sentence, is_question
from server.insights import MAX_SUMMARY_SENTENCES, MAX_WORDS, MIN_WORDS, central_sentences, topic_borders

TEXT = EVAL / "text"
# MELD's classes that we tell apart; sadness and surprise have no label of ours.
MELD_EMOTIONS = {"joy": "happiness", "anger": "anger", "disgust": "disgust", "fear": "fear", "neutral": "neutral"}
NEUTRAL_BELOW = 0.05
FIRST_WORDS = frozenset(
    """
        what why who whose whom when where which how is are was were am do does did can could will would shall
        should may might have has had
    """.split()
)


def questions() -> list[dict[str, Any]]:
    """Precision, recall, F1 of questions."""
    rows = []
    for name, acts in (("AMI", ami_acts(TEXT / "ami")), ("MRDA", mrda(TEXT / "mrda"))):
        truth = [act.asks for act in acts]
        for kind, texts in (
            ("punctuated", [a.text for a in acts]),
            ("bare words", [without_marks(a.text) for a in acts]),
        ):
            punctuated = kind == "punctuated"
            ours = detection(truth, [is_question(text, punctuated=punctuated) for text in texts])
            baseline = detection(truth, [_plainly_asks(text, punctuated=punctuated) for text in texts])
            rows.append(
                {"task": f"questions, {name}, {kind}", "n": len(acts), "measure": "F1", **_pair(ours.f1, baseline.f1)}
                | {"precision": round(ours.precision, 3), "recall": round(ours.recall, 3)}
            )
    return rows


def _plainly_asks(text: str, *, punctuated: bool) -> bool:
    """The simplest rule."""
    if punctuated:
        return text.rstrip().endswith("?")
    return bool(text) and text.split()[0] in FIRST_WORDS


def _pair(ours: float, baseline: float) -> dict[str, float]:
    return {"ours": round(ours, 3), "baseline": round(baseline, 3)}


def _label(polarity: float) -> str:
    return "neutral" if abs(polarity) < NEUTRAL_BELOW else "positive" if polarity > 0 else "negative"


def sentiment_and_emotions(models: ModelSet) -> list[dict[str, Any]]:
    """Agreement of the sentiment, macro-F1 of the emotions."""
    lines = meld(TEXT / "meld" / "dev_sent_emo.csv")
    rows = []
    for kind, texts in (
        ("punctuated", [x.text for x in lines]),
        ("bare words", [without_marks(x.text) for x in lines]),
    ):
        vectors = models.text_encoder(texts)
        truth = [line.sentiment for line in lines]
        majority = Counter(truth).most_common(1)[0][0]
        found = [_label(float(p)) for p in models.sentiment(texts, vectors)]
        agreement = fmean(t == f for t, f in zip(truth, found, strict=True))
        row = {"task": f"sentiment, MELD, {kind}", "n": len(lines), "measure": "agreement"}
        rows.append(row | _pair(agreement, fmean(t == majority for t in truth)))
        if isinstance(models.sentiment, BlendedSentiment):
            lexicon = [_label(models.sentiment.lexicon_polarity(text)) for text in texts]
            rows[-1]["lexicon_alone"] = round(fmean(t == f for t, f in zip(truth, lexicon, strict=True)), 3)
        labelled = [i for i, line in enumerate(lines) if line.emotion in MELD_EMOTIONS]
        top = models.emotions(texts, vectors).argmax(axis=1)
        truth = [MELD_EMOTIONS[lines[i].emotion] for i in labelled]
        majority = Counter(truth).most_common(1)[0][0]
        row = {"task": f"emotions, MELD, {kind}", "n": len(labelled), "measure": "macro-F1"}
        found = [EMOTIONS[top[i]] for i in labelled]
        rows.append(row | _pair(macro_f1(truth, found), macro_f1(truth, [majority] * len(labelled))))
        rows[-1]["not_sure"] = round(fmean(name == "not_sure" for name in found), 3)
    return rows


def _numbers(moments: Sequence[float], borders: Sequence[float]) -> list[int]:
    """The number of the segment that each moment lies in."""
    ordered = sorted(borders)
    return [bisect_right(ordered, moment) for moment in moments]


def topics(models: ModelSet) -> list[dict[str, Any]]:
    """Pk and WindowDiff of the topics."""
    kinds = [(name, kind) for kind in ("", ", by words") for name in ("AMI", "QMSum")]
    scores: dict[str, list[tuple[tuple[float, float], tuple[float, float]]]] = {name + kind: [] for name, kind in kinds}
    for meeting in topic_meetings(TEXT / "ami", TEXT / "qmsum"):
        name = "AMI" if (TEXT / "ami" / f"{meeting.name}.json").exists() else "QMSum"
        scores[name].append(_topic_errors(meeting, _sentences(meeting.texts, models)))
        scores[f"{name}, by words"].append(_topic_errors(meeting, _sentences(meeting.texts)))
    rows = []
    for name, found in scores.items():
        for index, measure in enumerate(("Pk", "WindowDiff")):
            ours, uniform = fmean(o[index] for o, _ in found), fmean(u[index] for _, u in found)
            rows.append({"task": f"topics, {name}", "n": len(found), "measure": measure, **_pair(ours, uniform)})
    return rows


def _sentences(timed_texts: Sequence[TimedText], models: ModelSet | None = None) -> list[Sentence]:
    """Sentences with the vectors of English; without models, as sentences of another language."""
    texts = [timed_text.text for timed_text in timed_texts]
    vectors = [v.astype("<f2").tobytes() for v in models.text_encoder(texts)] if models else [b""] * len(texts)
    return [
        Sentence(
            i,
            1,
            round(s.start_s * 1e6),
            round(s.end_s * 1e6),
            s.text,
            is_question(s.text, punctuated=True),
            vector=vector,
        )
        for i, (s, vector) in enumerate(zip(timed_texts, vectors, strict=True))
    ]


def summaries(models: ModelSet) -> list[dict[str, Any]]:
    """Share of the sentences of a summary that the annotators' rests on."""
    meetings = ami_summarised(TEXT / "ami")
    rows = []
    for kind, encoder in (("", models), (", by words", None)):
        ours, every = [], []
        for acts in meetings:
            matters = [act.matters for act in acts]
            sentences = _sentences([act.timed_text for act in acts], encoder)
            chosen = central_sentences(sentences, MAX_SUMMARY_SENTENCES)
            ours.append(fmean(matters[s.segment_id] for s in chosen))
            long_enough = [s for s in sentences if MIN_WORDS <= len(s.text.split()) <= MAX_WORDS and not s.asks]
            every.append(fmean(matters[s.segment_id] for s in long_enough))
        row = {"task": f"summaries, AMI{kind}", "n": len(meetings), "measure": "precision"}
        rows.append(row | _pair(fmean(ours), fmean(every)))
    return rows


def _topic_errors(
    meeting: TopicExample, sentences: Sequence[Sentence]
) -> tuple[tuple[float, float], tuple[float, float]]:
    starts = [text.start_s for text in meeting.texts]
    truth = _numbers(starts, meeting.borders_s)
    found = [moment / 1e6 for moment in topic_borders(sentences, round(meeting.duration_s * 1e6))]
    uniform = [meeting.duration_s * i / (len(found) + 1) for i in range(1, len(found) + 1)]
    return segmentation_errors(truth, _numbers(starts, found)), segmentation_errors(truth, _numbers(starts, uniform))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not TEXT.is_dir():
        print(f"no labelled text in {TEXT}", file=sys.stderr)
        return 2
    models = load_default_models(threads=2, recogniser_workers=1)
    rows = [*questions(), *sentiment_and_emotions(models), *topics(models), *summaries(models)]
    print(f"{'task':<34}{'n':>7}  {'measure':<11}{'ours':>7}{'baseline':>10}")
    for row in rows:
        more = ", ".join(f"{k} {v}" for k, v in row.items() if k not in ("task", "n", "measure", "ours", "baseline"))
        print(f"{row['task']:<34}{row['n']:>7}  {row['measure']:<11}{row['ours']:>7}{row['baseline']:>10}  {more}")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
