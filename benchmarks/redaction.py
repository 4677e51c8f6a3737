"""How well redaction finds what it should, and nothing else: precision and recall by kind, on transcripts of ours.

    python -m benchmarks.redaction                    # the set: benchmarks/redaction_set.txt
    python -m benchmarks.redaction --misses           # with every line that is wrong
    python -m benchmarks.redaction --negatives FOLDER  # and public transcripts in which nothing is to be found

A span counts as found where every word of it is redacted, whatever the kind; a finding counts as right where it
overlaps a span of its kind, and words too many are those that it redacts beside the span. FOLDER holds AMI meetings
and QMSum (JSON) and MRDA (text), in folders of these names.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.printed_rows import print_rows
from server.conversation import RedactionKind, Word
from server.redaction import RedactionRules, Span, find_spans

SET = Path(__file__).parent / "redaction_set.txt"
# Those of the set's lines.
PEOPLE = (
    "Daniel Müller",
    "Maria Lopez",
    "Will Young",
    "Aoife O'Brien",
    "Søren Larsen",
    "Priya Raghunathan",
    "Grace Chen",
    "Jean-Pierre Dubois",
    "Tomasz Łukaszewicz",
)
WORD_US = 300_000
_MARKED = re.compile(r"\{(?P<kind>[a-z]+):(?P<words>[^}]+)\}")
_NUMBERS = frozenset(RedactionKind) - {RedactionKind.NAME}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the set."""

    number: int
    language: str
    words: tuple[Word, ...]
    spans: tuple[Span, ...]


def spoken(text: str) -> tuple[Word, ...]:
    """The words of a text, three a second."""
    return tuple(
        Word(word, index * WORD_US, (index + 1) * WORD_US - 50_000, None) for index, word in enumerate(text.split())
    )


def parse_line(number: int, text: str) -> Line:
    """A line of the set: ``language | words``, with what is to be found as ``{kind:words}``."""
    language, marked = (part.strip() for part in text.split("|", 1))
    plain, spans, done = "", [], 0
    for match in _MARKED.finditer(marked):
        plain += marked[done : match.start()]
        first = len(plain.split())
        plain += match["words"]
        spans.append(Span(RedactionKind(match["kind"]), first, len(plain.split()) - 1))
        done = match.end()
    return Line(number, language, spoken(plain + marked[done:]), tuple(spans))


def read_set(path: Path = SET) -> list[Line]:
    """All lines of the set, numbered from 1."""
    texts = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return [parse_line(number, text) for number, text in enumerate(texts, start=1)]


def overlaps(one: Span, other: Span) -> bool:
    """Whether two spans share a word."""
    return one.first <= other.last and other.first <= one.last


@dataclass
class Tally:
    """What was found, by kind."""

    wanted: Counter[RedactionKind]
    found: Counter[RedactionKind]
    said: Counter[RedactionKind]
    right: Counter[RedactionKind]
    wrong_lines: list[str]
    extra: Counter[RedactionKind]
    """Words that findings redact beside those of the spans."""

    @classmethod
    def empty(cls) -> Tally:
        """Nothing yet."""
        return cls(Counter(), Counter(), Counter(), Counter(), [], Counter())

    def add(self, line: Line, findings: Sequence[Span]) -> None:
        """Count the findings in a line."""
        redacted = {index for span in findings for index in range(span.first, span.last + 1)}
        missed = [s for s in line.spans if not redacted.issuperset(range(s.first, s.last + 1))]
        wrong = [s for s in findings if not any(s.kind is w.kind and overlaps(s, w) for w in line.spans)]
        self.wanted.update(span.kind for span in line.spans)
        self.found.update(span.kind for span in line.spans if span not in missed)
        self.said.update(span.kind for span in findings)
        self.right.update(span.kind for span in findings if span not in wrong)
        wanted = {index for span in line.spans for index in range(span.first, span.last + 1)}
        for span in findings:
            self.extra[span.kind] += len(set(range(span.first, span.last + 1)) - wanted)
        for label, spans in (("missed", missed), ("wrong", wrong)):
            for span in spans:
                words = " ".join(word.text for word in line.words[span.first : span.last + 1])
                self.wrong_lines.append(f"{line.number} {label} {span.kind}: {words}")

    def rows(self) -> Iterator[dict[str, object]]:
        """The figures by kind, and of all."""
        for kind in [*RedactionKind, None]:
            wanted, found, said, right, extra = (
                counts[kind] if kind else sum(counts.values())
                for counts in (self.wanted, self.found, self.said, self.right, self.extra)
            )
            yield {
                "kind": kind or "all",
                "spans": wanted,
                "recall": f"{found / wanted:.3f}" if wanted else "-",
                "precision": f"{right / said:.3f}" if said else "-",
                "missed": wanted - found,
                "wrong": said - right,
                "words too many": extra,
            }


def measure(lines: Sequence[Line]) -> Tally:
    """Redact lines with every kind."""
    rules, tally = RedactionRules.create(RedactionKind, PEOPLE), Tally.empty()
    for line in lines:
        tally.add(line, find_spans(line.words, rules, line.language))
    return tally


def public_transcripts(folder: Path) -> Iterator[tuple[str, list[tuple[Word, ...]]]]:
    """The streams of words of each corpus: a speaker's in AMI, a meeting's elsewhere."""
    ami: list[tuple[Word, ...]] = []
    for path in sorted((folder / "ami").glob("*.json")):
        by_speaker: dict[str, list[str]] = {}
        for utterance in json.loads(path.read_text())["utterances"]:
            by_speaker.setdefault(utterance["speaker"], []).append(utterance["text"])
        ami += [spoken(" ".join(texts)) for texts in by_speaker.values()]
    yield "AMI", ami
    qmsum = [json.loads(path.read_text()) for path in sorted((folder / "qmsum").glob("*.json"))]
    yield "QMSum", [spoken(" ".join(turn["content"] for turn in one["meeting_transcripts"])) for one in qmsum]
    mrda = [path.read_text(errors="replace").splitlines() for path in sorted((folder / "mrda").glob("*.txt"))]
    yield "MRDA", [spoken(" ".join(line.split("|")[1] for line in lines if "|" in line)) for lines in mrda]


def findings(streams: Sequence[tuple[Word, ...]]) -> tuple[int, list[str]]:
    """The number of words, and what is found in them."""
    rules = RedactionRules.create(_NUMBERS)
    found = [
        f"{span.kind}: {' '.join(word.text for word in stream[span.first : span.last + 1])}"
        for stream in streams
        for span in find_spans(stream, rules, "en")
    ]
    return sum(map(len, streams)), found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true", help="print every span that was missed or is wrong")
    parser.add_argument("--negatives", type=Path, help="folder of public transcripts")
    arguments = parser.parse_args()
    lines = read_set()
    print(f"{len(lines)} lines, {sum(not line.spans for line in lines)} of them with nothing to find")
    tally = measure(lines)
    print_rows(list(tally.rows()))
    if arguments.misses:
        print("\n".join(tally.wrong_lines))
    if arguments.negatives:
        for name, streams in public_transcripts(arguments.negatives):
            words, found = findings(streams)
            print(f"{name}: {len(found)} findings in {words} words")
            print("\n".join(found), end="\n" if found else "")


if __name__ == "__main__":
    main()
