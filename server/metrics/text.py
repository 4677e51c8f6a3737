"""Metrics of texts: what is found in words, and how reliably."""

from __future__ import annotations

from server.insights import KEY_POINTS, NOTES, QUESTIONS, SUMMARIES, TOPICS, TRANSCRIPT
from server.metrics.metric import KnownError, Metric, mean_errors

QUOTES = (
    "Key points and summaries quote what was said, word for word, including recognition errors; they are not checked"
    " against anything."
)

AGREEMENTS = (
    "Action items and decisions that are said in other words are missed, and some that are listed are none: read the"
    " sentences that a line names"
)

TEXT = (
    Metric(
        name="reliable",
        title="Reliability of the text",
        unit="yes or no",
        definition="mean word confidence of at least 0.8; false without words",
        version=TRANSCRIPT.version,
    ),
    Metric(
        name="questions",
        title="Questions",
        unit="count",
        low=0,
        definition="a question mark, in any language; in English text without punctuation: question word first,"
        ' auxiliary before its subject, tags, endings ("or not"), elliptic ones ("anything else"). Single words'
        " are not listed",
        interpretation="Questions depend on a few key words being recognised",
        source="rules of English",
        version=QUESTIONS.version,
        errors=(
            *mean_errors(1.0, 0.5, "count"),
            KnownError("questions, AMI, punctuated", "F1", 0.725, baseline=0.725),
            KnownError("questions, AMI, bare words", "F1", 0.565, baseline=0.345),
        ),
    ),
    Metric(
        name="topics",
        title="Topics",
        unit="",
        definition="boundaries where the two minutes before and the two minutes after are least similar: TextTiling on"
        " sentence embeddings, depth over mean + 1.5 standard deviations, at least 90 s apart, at the start of a"
        " sentence. In other languages than English on word vectors: three minutes, mean + 1 standard deviation",
        interpretation="Names of topics were not measured",
        source="Hearst 1997",
        version=TOPICS.version,
        errors=(
            KnownError("topics, AMI", "Pk (lower is better)", 0.287, baseline=0.402),
            KnownError("topics, QMSum", "Pk (lower is better)", 0.492, baseline=0.516),
        ),
    ),
    Metric(
        name="key_points",
        title="Key points",
        unit="",
        definition="up to five of a speaker's sentences: LexRank on sentence embeddings times the square root of the"
        " number of words, diversified by MMR",
        interpretation=QUOTES,
        source="Erkan and Radev 2004; Carbonell and Goldstein 1998",
        version=KEY_POINTS.version,
        errors=(KnownError("summaries, AMI", "precision", 0.664, baseline=0.388),),
    ),
    Metric(
        name="text_summary",
        title="Summaries",
        unit="",
        definition="two sentences per speaker, three to eight for the meeting. Or written by a language model where one"
        " is configured (`method` says which); if it fails, the extractive summary stays",
        interpretation=QUOTES,
        source="Erkan and Radev 2004; Carbonell and Goldstein 1998",
        version=SUMMARIES.version,
        errors=(KnownError("summaries, AMI", "precision", 0.664, baseline=0.388),),
    ),
    Metric(
        name="action_items",
        title="Action items",
        unit="",
        definition="a sentence in which somebody undertakes, is given or is asked for a piece of work: points for how"
        " it is said, for a date, for assent within 6 s and for the last fifth of the meeting. Who: the speaker, who"
        " assents, or who is named. By when: the phrase that is said",
        interpretation=AGREEMENTS,
        source="rules of English",
        version=NOTES.version,
        english_only=True,
        errors=(KnownError("action items, AMI, unseen", "F1", 0.374, baseline=0.029),),
    ),
    Metric(
        name="decisions",
        title="Decisions",
        unit="",
        definition="a sentence that says that something was decided, chosen or settled, and no question; points for how"
        " it is said and for assent within 6 s",
        interpretation=AGREEMENTS,
        source="rules of English",
        version=NOTES.version,
        english_only=True,
        errors=(KnownError("decisions, AMI, unseen", "F1", 0.125, baseline=0.027),),
    ),
)
