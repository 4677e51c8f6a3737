"""What key terms bring: words that the recogniser gets wrong, with and without being told of them.

    python -m benchmarks.key_terms [--json FILE]

Hard read speech, a recording for each reader, recognised in this process as uploads are. The terms of a recording are
the longer words of its reference that were wrong without terms, and as many words of other recordings that nobody says
in it. Recall of the wrong words, and errors of all words, without and with the terms; how often a word that nobody says
was written; and the words written to sounds without any, with all of these terms given. Errors of meetings without
terms, and with the names of participants that nobody says, which every live meeting with names has.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.in_process import as_pcm, default_engine, recognise_words
from benchmarks.recordings import RATE_HZ
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import count_word_errors, equal_word_pairs, folded_words
from benchmarks.sounds import MADE, made, recorded
from benchmarks.spoken_data import READ, TranscribedRecording, meetings, readers
from inference.engine import ModelEngine
from inference.session import SessionConfig

# Shorter words are none that anybody would name.
MIN_LETTERS = 5
MAX_TERMS = 100
MADE_S = 5.0
# Nobody says them in the meetings of the evaluation data.
NAMES = {"two": ("Ana", "Ben"), "four": ("Christine", "Marek", "Priya", "Johnson")}


@dataclass(frozen=True, slots=True)
class RecognitionPass:
    """The result of one recording."""

    reference: list[str]
    hypothesis: list[str]

    @property
    def misrecognised(self) -> list[str]:
        """Longer words of the reference that were not recognised, each once."""
        right = {index for index, _ in equal_word_pairs(self.reference, self.hypothesis)}
        missed = [word for index, word in enumerate(self.reference) if index not in right]
        return [word for word in dict.fromkeys(missed) if len(word) >= MIN_LETTERS]

    def count_recalled(self, terms: Sequence[str]) -> tuple[int, int]:
        """How often the terms were said and recognised, and how often they were said."""
        wanted = set(terms)
        right = sum(self.reference[index] in wanted for index, _ in equal_word_pairs(self.reference, self.hypothesis))
        return right, sum(word in wanted for word in self.reference)


async def recognise(engine: ModelEngine, spoken: TranscribedRecording, terms: Sequence[str]) -> RecognitionPass:
    """Recognises a recording."""
    config = SessionConfig(language=spoken.language, key_terms=tuple(terms))
    words = await recognise_words(engine, [as_pcm(spoken.samples())], config)
    return RecognitionPass(folded_words(spoken.text), [token for word in words for token in folded_words(word.text)])


def distractors(passes: Sequence[RecognitionPass], number: int, count: int) -> list[str]:
    """So many of the longer words of other recordings that are not said in this one."""
    said = set(passes[number].reference)
    others = {word for other in passes for word in other.reference if len(word) >= MIN_LETTERS} - said
    chosen = np.random.default_rng(number).permutation(sorted(others))[:count]
    return [str(word) for word in chosen]


def recording_row(
    spoken: TranscribedRecording,
    without: RecognitionPass,
    given: RecognitionPass,
    terms: Sequence[str],
    absent: Sequence[str],
) -> dict[str, Any]:
    """The figures of a recording."""
    written = Counter(given.hypothesis)
    (before, said), (after, _) = without.count_recalled(terms), given.count_recalled(terms)
    return {
        "name": spoken.name,
        "words": len(without.reference),
        "terms": len(terms),
        "said": said,
        "recognised_without": before,
        "recognised_with": after,
        "errors_without": count_word_errors(without.reference, without.hypothesis),
        "errors_with": count_word_errors(given.reference, given.hypothesis),
        "absent_terms_written": sum(written[word] for word in absent),
    }


def totals(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rates over all recordings, percent."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update({key: value for key, value in row.items() if key != "name"})
    return {
        "terms": total["terms"],
        "recall_without": round(100 * total["recognised_without"] / max(1, total["said"]), 1),
        "recall_with": round(100 * total["recognised_with"] / max(1, total["said"]), 1),
        "wer_without": round(100 * total["errors_without"] / total["words"], 1),
        "wer_with": round(100 * total["errors_with"] / total["words"], 1),
        "absent_terms_written": total["absent_terms_written"],
    }


async def count_invented_words(engine: ModelEngine, terms: Sequence[str]) -> dict[str, Any]:
    """Words written to sounds without any, with terms given."""
    sounds = [*(made(kind, MADE_S) for kind in MADE), *recorded()]
    found = []
    for sound in sounds:
        words = await recognise_words(engine, [as_pcm(sound.samples)], SessionConfig(key_terms=tuple(terms)))
        found += [f"{sound.name}: {word.text}" for word in words]
    minutes = sum(len(sound.samples) for sound in sounds) / RATE_HZ / 60
    return {"minutes": round(minutes, 1), "words": len(found), "found": found}


async def count_errors_with_names(engine: ModelEngine) -> dict[str, dict[str, float]]:
    """WER of sets of meetings, percent, without terms and with the names of participants that nobody says."""
    figures: dict[str, dict[str, float]] = {}
    for set_name in ("ami", "synthetic"):
        spoken = meetings(set_name)
        for label, names in {"none": (), **NAMES}.items():
            found = [await recognise(engine, one, names) for one in spoken]
            errors = sum(count_word_errors(one.reference, one.hypothesis) for one in found)
            wer = round(100 * errors / sum(len(one.reference) for one in found), 1)
            figures.setdefault(set_name, {})[label] = wer
            print(set_name, label, wer, file=sys.stderr, flush=True)
    return figures


async def measure() -> dict[str, Any]:
    """The figures."""
    spoken = readers()
    rows, every = [], []
    async with default_engine() as engine:
        plain = [await recognise(engine, one, ()) for one in spoken]
        for number, one in enumerate(spoken):
            terms = plain[number].misrecognised[: MAX_TERMS // 2]
            absent = distractors(plain, number, len(terms))
            given = [str(term) for term in np.random.default_rng(number).permutation([*terms, *absent])]
            rows.append(recording_row(one, plain[number], await recognise(engine, one, given), terms, absent))
            every += terms
            print(rows[-1], file=sys.stderr, flush=True)
        sounds = await count_invented_words(engine, every[:MAX_TERMS])
        names = await count_errors_with_names(engine)
    return {"all": totals(rows), "recordings": rows, "without_speech": sounds, "names": names}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.key_terms", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not READ.is_dir():
        print(f"no read speech in {READ}", file=sys.stderr)
        return 2
    ensure_scorers()
    figures = asyncio.run(measure())
    for name, value in figures["all"].items():
        print(f"{name:<24}{value:>8}")
    sounds = figures["without_speech"]
    print(f"words written to {sounds['minutes']} min without speech: {sounds['words']} {sounds['found']}")
    for set_name, errors in figures["names"].items():
        print(f"WER of {set_name} with the names of participants, %: {errors}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
