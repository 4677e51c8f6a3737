"""Action items and decisions found by rules, against those of the AMI annotators.

    python -m benchmarks.notes [--json FILE] [--show]

The annotators wrote action items and decisions in their own words, and linked each to the dialogue acts that it rests
on. The reference transcript is split into sentences as after recognition. A line is right if its sentence is such an
act of its kind: at least half of the shorter of the two at the same time, by the same speaker. Precision is the share
of lines that are right, recall the share of truths of which a line is found. Baseline: every sentence with a word of
obligation ("will", "need to"), for decisions one of deciding ("decide", "agree", "let's"). Rules and thresholds were
made with every other meeting of the sorted list, from the first; no model is needed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.recordings import EVAL
from benchmarks.running_system import circumstances
from server.conversation import ENGLISH, Conversation, EngineCapabilities, Segment, Sentence, Word, split_sentences
from server.insights import find_action_items, find_decisions

AMI = EVAL / "text" / "ami"
ACTIONS, DECISIONS = "actions", "decisions"
OBLIGATION = re.compile(r"\b(?:will|i'll|you'll|we'll|need to|needs to|have to|has to|should)\b", re.IGNORECASE)
DECIDING = re.compile(r"\b(?:decide|decided|decision|agree|agreed|let's)\b", re.IGNORECASE)
SHARED = 0.5


@dataclass(frozen=True, slots=True)
class Act:
    """A dialogue act that a truth rests on, microseconds."""

    speaker: int
    start_us: int
    end_us: int

    def is_said_in(self, sentence: Sentence) -> bool:
        """Return whether a sentence is this act, up to half of the shorter one."""
        shared = min(self.end_us, sentence.end_us) - max(self.start_us, sentence.start_us)
        shorter = min(self.end_us - self.start_us, sentence.duration_us)
        return sentence.speaker == self.speaker and shared > SHARED * shorter


@dataclass(frozen=True, slots=True)
class NotedMeeting:
    """A meeting with the acts that each action item and each decision rests on."""

    name: str
    conversation: Conversation
    truths: dict[str, list[list[Act]]]


def load(path: Path) -> NotedMeeting:
    """Read a meeting of the AMI corpus; truths without a link are left out, as nothing says where they come from."""
    document = json.loads(path.read_text())
    speakers = {channel: number for number, channel in enumerate(sorted(document["speakers"]), start=1)}
    acts = {act["id"]: act for act in document["dialogue_acts"]}
    # Abstractive sentences are numbered through their four lists, in this order.
    summary, first = document["summary"], 1
    kinds: dict[int, str] = {}
    for kind in ("abstract", ACTIONS, DECISIONS, "problems"):
        kinds |= dict.fromkeys(range(first, first + len(summary[kind])), kind)
        first += len(summary[kind])
    linked: dict[int, list[Act]] = {}
    for link in document["summary_links"]:
        act = acts[link["extractive"]]
        number = int(link["abstractive"].rpartition(".")[2])
        found = Act(speakers[act["ch"]], round(act["start"] * 1e6), round(act["end"] * 1e6))
        linked.setdefault(number, []).append(found)
    truths = {
        kind: [found for number, found in sorted(linked.items()) if kinds.get(number) == kind]
        for kind in (ACTIONS, DECISIONS)
    }
    return NotedMeeting(path.stem, _conversation(document["dialogue_acts"], speakers), truths)


def _conversation(acts: Sequence[dict[str, Any]], speakers: dict[str, int]) -> Conversation:
    spoken = sorted((act for act in acts if act["text"].strip()), key=lambda act: (act["start"], act["end"]))
    segments = []
    for number, act in enumerate(spoken, start=1):
        texts = act["text"].split()
        start_us, length_us = act["start"] * 1e6, max(0.01, act["end"] - act["start"]) * 1e6 / len(texts)
        words = tuple(
            Word(text, round(start_us + i * length_us), round(start_us + (i + 1) * length_us), None)
            for i, text in enumerate(texts)
        )
        segments.append(
            Segment(number, speakers[act["ch"]], words[0].start_us, words[-1].end_us, words, language=ENGLISH)
        )
    whole = Conversation(
        max(segment.end_us for segment in segments),
        tuple(speakers.values()),
        tuple(segments),
        EngineCapabilities(languages=(ENGLISH,)),
        language=ENGLISH,
    )
    return replace(whole, sentences=split_sentences(whole))


Find = Callable[[Conversation], list[Sentence]]


def by_rules(kind: str) -> Find:
    """Return what finds the sentences that say an action item or a decision."""

    def find(conversation: Conversation) -> list[Sentence]:
        sentences = conversation.sentences
        places = range(len(sentences))
        if kind == ACTIONS:
            found = find_action_items(sentences, conversation.duration_us, places)
        else:
            found = find_decisions(sentences, places)
        return [sentences[agreement.places[0]] for agreement in found]

    return find


def by_words(kind: str) -> Find:
    """Return what finds every sentence with one of a few words."""
    words = OBLIGATION if kind == ACTIONS else DECIDING
    return lambda conversation: [sentence for sentence in conversation.sentences if words.search(sentence.text)]


def score(meetings: Sequence[NotedMeeting], kind: str, find: Find) -> dict[str, Any]:
    """Return precision, recall and F1 over all lines and truths of the meetings."""
    lines = right = truths = found = 0
    for meeting in meetings:
        sentences, wanted = find(meeting.conversation), meeting.truths[kind]
        lines, truths = lines + len(sentences), truths + len(wanted)
        right += sum(any(act.is_said_in(s) for acts in wanted for act in acts) for s in sentences)
        found += sum(any(act.is_said_in(s) for s in sentences for act in acts) for acts in wanted)
    precision, recall = right / lines if lines else 0.0, found / truths if truths else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {
        "truths": truths,
        "lines": lines,
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(f1, 3),
    }


def rows(meetings: Sequence[NotedMeeting]) -> list[dict[str, Any]]:
    """Return a row for each kind and half, and for both halves."""
    halves = {"tuned on": meetings[::2], "unseen": meetings[1::2], "all": meetings}
    return [
        {
            "task": f"{'action items' if kind == ACTIONS else kind}, AMI, {name}",
            "meetings": len(half),
            **score(half, kind, by_rules(kind)),
            "baseline_f1": score(half, kind, by_words(kind))["f1"],
        }
        for kind in (ACTIONS, DECISIONS)
        for name, half in halves.items()
    ]


def show(meetings: Sequence[NotedMeeting]) -> None:
    """Print every line of the half that the rules were tuned on."""
    for meeting in meetings[::2]:
        for kind in (ACTIONS, DECISIONS):
            for sentence in by_rules(kind)(meeting.conversation):
                right = any(act.is_said_in(sentence) for acts in meeting.truths[kind] for act in acts)
                at = sentence.start_us // 1_000_000
                print(f"{'right' if right else '-':<6}{kind:<10}{meeting.name:<9}{at:>5} s  {sentence.text}")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notes", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    parser.add_argument("--show", action="store_true", help="also print each line found in the tuned half")
    options = parser.parse_args()
    if not AMI.is_dir():
        print(f"no labelled text in {AMI}", file=sys.stderr)
        return 2
    meetings = [load(path) for path in sorted(AMI.glob("*.json"))]
    found = rows(meetings)
    head = f"{'task':<30}{'meetings':>9}{'truths':>8}{'lines':>7}{'precision':>11}{'recall':>8}{'F1':>7}"
    print(f"{head}{'baseline F1':>13}")
    for row in found:
        print(
            f"{row['task']:<30}{row['meetings']:>9}{row['truths']:>8}{row['lines']:>7}{row['precision']:>11}"
            f"{row['recall']:>8}{row['f1']:>7}{row['baseline_f1']:>13}"
        )
    if options.show:
        show(meetings)
    if options.json:
        options.json.write_text(json.dumps({"rows": found, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
