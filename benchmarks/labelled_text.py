"""Labelled text of the evaluation data: dialogue acts, emotions, sentiment, topics, what summaries rest on."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Words take about so long to say; transcripts without times are laid out by it.
SECONDS_PER_WORD = 0.35


class QuestionExample(NamedTuple):
    """An utterance, and whether it asks."""

    text: str
    asks: bool


class EmotionExample(NamedTuple):
    """An utterance with its emotion (seven of MELD) and sentiment (three)."""

    text: str
    emotion: str
    sentiment: str


class TimedText(NamedTuple):
    """A span of speech, seconds."""

    start_s: float
    end_s: float
    text: str


class SummaryExample(NamedTuple):
    """A dialogue act, and whether the annotators' summary rests on it."""

    timed_text: TimedText
    matters: bool


class TopicExample(NamedTuple):
    """A meeting with the moments at which its topic changes, seconds."""

    name: str
    texts: list[TimedText]
    borders_s: list[float]
    duration_s: float


def mrda(folder: Path) -> list[QuestionExample]:
    """Utterances of the ICSI meetings with dialogue acts; Q is a question."""
    rows = (line.split("|") for path in sorted(folder.glob("*.txt")) for line in path.read_text().splitlines())
    return [QuestionExample(row[1], row[2] == "Q") for row in rows if len(row) >= 3]


def ami_acts(folder: Path) -> list[QuestionExample]:
    """Dialogue acts of the AMI meetings; the Elicit ones are questions. Fragments are no utterances."""
    found = []
    for path in sorted(folder.glob("*.json")):
        for act in json.loads(path.read_text())["dialogue_acts"]:
            if act["act"] and act["act"] != "Fragment":
                found.append(QuestionExample(act["text"], act["act"].startswith("Elicit")))
    return found


def ami_summarised(folder: Path) -> list[list[SummaryExample]]:
    """For each of the AMI meetings its dialogue acts."""
    found = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        linked = {link["extractive"] for link in document["summary_links"]}
        acts = [act for act in document["dialogue_acts"] if act["text"]]
        found.append([SummaryExample(TimedText(a["start"], a["end"], a["text"]), a["id"] in linked) for a in acts])
    return found


def meld(path: Path) -> list[EmotionExample]:
    """Lines of television dialogue."""
    with path.open(encoding="utf-8", newline="") as file:
        return [EmotionExample(_plain(r["Utterance"]), r["Emotion"], r["Sentiment"]) for r in csv.DictReader(file)]


def _plain(text: str) -> str:
    return text.replace("\x92", "'").replace("’", "'").replace("\x85", "...")


def without_marks(text: str) -> str:
    """As a recogniser gives it: lower case, no punctuation."""
    return re.sub(r"[^\w\s']", "", text.lower()).strip()


def topic_meetings(ami: Path, qmsum: Path) -> Iterator[TopicExample]:
    """Meetings of AMI and QMSum with their topics."""
    for path in sorted(ami.glob("*.json")):
        meeting = json.loads(path.read_text())
        acts = sorted((a for a in meeting["dialogue_acts"] if a["text"]), key=lambda a: a["start"])
        texts = [TimedText(a["start"], a["end"], a["text"]) for a in acts]
        borders = [topic["start"] for topic in meeting["topics"]][1:]
        yield TopicExample(path.stem, texts, borders, max(s.end_s for s in texts))
    for path in sorted(qmsum.glob("*.json")):
        meeting = json.loads(path.read_text())
        clock, texts = 0.0, []
        for turn in meeting["meeting_transcripts"]:
            text = re.sub(r"\{\w+\}", "", turn["content"])
            length = SECONDS_PER_WORD * max(1, len(text.split()))
            texts.append(TimedText(clock, clock + length, text))
            clock += length
        firsts = sorted(int(topic["relevant_text_span"][0][0]) for topic in meeting["topic_list"])
        yield TopicExample(path.stem, texts, [texts[first].start_s for first in firsts[1:]], clock)
