"""How many of the sentences closest in meaning a search by sketches first finds.

    python -m benchmarks.sketches [--near 500 1000 2000] [--json FILE]

All sentences of the evaluation data in English (the manual words of AMI, MRDA and QMSum meetings, dialogues of MELD;
each once) are encoded by the sentence model, as float16 numbers, as the index has them. Asked are the 20 questions of
``benchmarks.search``, and 200 of the sentences. Printed is the share of the 10, 50 and 200 sentences with the
largest cosine that are among the ``--near`` ones whose sketches differ in fewest bits, over all questions; those with a
cosine under 0.3, which no search shows, are left out. A search takes 200.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.circumstances import circumstances
from benchmarks.recordings import EVAL
from benchmarks.search import BATCH, QUESTIONS
from inference.selection import load_default_models
from server.search.ranking import MIN_SIMILARITY

DEPTHS = (10, 50, 200)
ASKED_SENTENCES = 200


def sentences_of(folder: Path) -> Iterator[str]:
    """What was said in the text of the evaluation data, in no particular order."""
    for path in sorted((folder / "ami").glob("*.json")):
        yield from (one["text"].replace("_", "") for one in json.loads(path.read_text(encoding="utf-8"))["utterances"])
    for path in sorted((folder / "qmsum").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        yield from (one["content"] for one in document["meeting_transcripts"])
    for path in sorted((folder / "mrda").glob("*.txt")):
        yield from (line.split("|")[1] for line in path.read_text(encoding="utf-8").splitlines() if "|" in line)
    for path in sorted((folder / "meld").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from (row["Utterance"] for row in csv.DictReader(file))


def bits_of(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Sketches, as PostgreSQL makes them: a bit for each number, 1 where it is positive."""
    return np.packbits(vectors > 0, axis=1)


def recall(vectors: NDArray[np.float32], asked: NDArray[np.float32], near: int) -> dict[str, float]:
    """The share of the closest sentences that are found, by how many are wanted."""
    sketches = bits_of(vectors)
    found: dict[int, list[int]] = {depth: [0, 0] for depth in DEPTHS}
    for query in asked:
        cosine = vectors @ query
        differing = np.bitwise_count(sketches ^ bits_of(query[None])).sum(axis=1)
        candidates = set(np.argsort(differing, kind="stable")[:near].tolist())
        order = np.argsort(-cosine, kind="stable")
        for depth, counts in found.items():
            wanted = [place for place in order[:depth].tolist() if cosine[place] >= MIN_SIMILARITY]
            counts[0] += len(candidates.intersection(wanted))
            counts[1] += len(wanted)
    return {f"of {depth}": round(hits / max(1, wanted), 4) for depth, (hits, wanted) in found.items()}


def main() -> int:
    """Measure and print; 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sketches", description=__doc__)
    parser.add_argument("--near", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    encode = load_default_models(threads=2, recogniser_workers=1).text_encoder

    def encoded(texts: list[str]) -> NDArray[np.float32]:
        batches = [np.asarray(encode(texts[first : first + BATCH]), "<f2") for first in range(0, len(texts), BATCH)]
        return np.concatenate(batches).astype(np.float32)

    texts = list(dict.fromkeys(text.strip() for text in sentences_of(EVAL / "text") if text.strip()))
    # Of about the same length in a batch, so that little is padded.
    texts.sort(key=len)
    vectors = encoded(texts)
    questions = [one["question"] for one in json.loads(QUESTIONS.read_text(encoding="utf-8"))]
    chosen = np.random.default_rng(0).choice(len(texts), ASKED_SENTENCES, replace=False)
    asked = {"questions": encoded(questions), "sentences": vectors[chosen]}
    result: dict[str, Any] = {"sentences": len(texts)}
    for name, queries in asked.items():
        result[name] = {str(near): recall(vectors, queries, near) for near in options.near}
    text = json.dumps({**result, "circumstances": circumstances()}, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
