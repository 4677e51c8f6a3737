"""Word errors on clean read speech, through the whole server path.

    python -m benchmarks.read_speech [--json FILE]

LibriSpeech test-other: all utterances of one speaker make one recording. WER in percent; the
mean is over the words, not over the speakers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import stored_conversation
from benchmarks.recordings import EVAL, read_samples, write_wav
from benchmarks.running_system import circumstances, running_system
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import word_error_rate

FOLDER = EVAL / "librispeech"


def by_speaker() -> dict[str, tuple[list[Path], str]]:
    """For each speaker the files, and all that is said in them."""
    found: dict[str, tuple[list[Path], str]] = {}
    for line in (FOLDER / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        files, text = found.get(entry["speaker"], ([], ""))
        found[entry["speaker"]] = ([*files, FOLDER / entry["file"]], f"{text} {entry['text']}".strip())
    return found


async def measure() -> list[dict[str, Any]]:
    """A row for each speaker, and one for all."""
    rows = []
    references, hypotheses = [], []
    with running_system() as system, tempfile.TemporaryDirectory(prefix="meetra-read-") as folder:
        async with system.client() as client:
            for speaker, (files, text) in by_speaker().items():
                path = Path(folder, f"{speaker}.wav")
                write_wav(np.concatenate([read_samples(file) for file in files]), path)
                conversation = await stored_conversation(system, client, path)
                words = " ".join(word.text for word, _ in conversation.words)
                references.append(text)
                hypotheses.append(words)
                rows.append(_row(speaker, text, words, conversation.mean_word_confidence))
    known = [row["confidence"] for row in rows if row["confidence"] is not None]
    rows.append(_row("all", " ".join(references), " ".join(hypotheses), sum(known) / len(known) if known else None))
    return rows


def _row(name: str, reference: str, hypothesis: str, confidence: float | None) -> dict[str, Any]:
    row = {
        "name": name,
        "words": len(reference.split()),
        "wer": round(word_error_rate(reference, hypothesis), 1),
        "confidence": None if confidence is None else round(confidence, 2),
    }
    print(f"{row['name']:<10}{row['words']:>7}{row['wer']:>8}{row['confidence']!s:>12}", flush=True)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.read_speech", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print(f"no read speech in {FOLDER}", file=sys.stderr)
        return 2
    ensure_scorers()
    print(f"{'speaker':<10}{'words':>7}{'WER %':>8}{'confidence':>12}")
    rows = asyncio.run(measure())
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
