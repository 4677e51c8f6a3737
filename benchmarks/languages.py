"""Language detection and word errors by language, through the whole server path.

    python -m benchmarks.languages [--json FILE]

Utterances in other languages than English: the language detected, how sure, and the errors: by word, by character for
Chinese and Japanese; compatible characters are one (NFKC), neither case nor punctuation counts. Rates in percent,
pooled over the utterances of a language. Then two meetings made of such utterances: one German and English in turn, one
German alone; the language detected in each span, and the share of words that are in the language spoken there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import stored_conversation
from benchmarks.in_process import as_pcm
from benchmarks.recordings import RATE_HZ, Samples, read_samples, temporary_folder, write_flac
from benchmarks.running_system import RunningSystem, circumstances, running_system
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import count_word_errors, folded_words
from benchmarks.spoken_data import LANGUAGES, TranscribedRecording, languages, meetings
from meetra_client import MeetraClient
from server.conversation import Conversation

PAUSE_S = 1.5
# The English parts of the meeting of two languages.
ENGLISH = ("d2_mf", "d3")
GERMAN_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A span of a made meeting in one language."""

    start_s: float
    end_s: float
    language: str


def concatenate_parts(parts: list[tuple[str, list[Samples]]]) -> tuple[Samples, list[Part]]:
    """A meeting of parts, each a language and what is said in it, with a pause after everything."""
    pause = np.zeros(int(PAUSE_S * RATE_HZ), np.float32)
    sounds: list[Samples] = []
    found, total_samples = [], 0
    for language, recordings in parts:
        own = [sound for one in recordings for sound in (one, pause)]
        length = sum(map(len, own))
        found.append(Part(total_samples / RATE_HZ, (total_samples + length) / RATE_HZ, language))
        sounds, total_samples = [*sounds, *own], total_samples + length
    return np.concatenate(sounds), found


def made_meetings() -> dict[str, tuple[Samples, list[Part]]]:
    """German and English for some minutes each in turn, and German alone."""
    german = [one.samples() for one in languages() if one.language == "de"] * GERMAN_ROUNDS
    english = [[one.samples()] for one in meetings("synthetic") if one.name in ENGLISH]
    turns = [part for recordings in english for part in (("de", german), ("en", recordings))]
    made = {"German": concatenate_parts([("de", german)])}
    return {"German and English": concatenate_parts(turns), **made} if turns else made


def utterance_row(spoken: TranscribedRecording, conversation: Conversation) -> dict[str, Any]:
    """What became of one utterance."""
    reference = folded_words(spoken.text, spoken.language)
    text = " ".join(word.text for word, _ in conversation.words)
    confidence = conversation.language_confidence
    return {
        "name": spoken.name,
        "language": spoken.language,
        "detected": conversation.language,
        "confidence": None if confidence is None else round(confidence, 3),
        "errors": count_word_errors(reference, folded_words(text, spoken.language)),
        "units": len(reference),
        "heard": text,
    }


def pooled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each language."""
    by_language = defaultdict(list)
    for row in rows:
        by_language[row["language"]].append(row)
    return [
        {
            "language": language,
            "utterances": len(own),
            "detected_right": sum(row["detected"] == language for row in own),
            "error_rate": round(100 * sum(row["errors"] for row in own) / sum(row["units"] for row in own), 1),
            "units": sum(row["units"] for row in own),
        }
        for language, own in sorted(by_language.items())
    ]


def meeting_row(name: str, conversation: Conversation, parts: list[Part]) -> dict[str, Any]:
    """What became of a made meeting."""
    spans = [
        {
            "start_s": round(own[0].start_us / 1e6, 1),
            "end_s": round(own[-1].end_us / 1e6, 1),
            "language": language,
        }
        for language, run in groupby((s for s in conversation.segments if s.words), key=lambda s: s.language)
        if (own := list(run))
    ]
    words = [(word, segment.language) for segment in conversation.segments for word in segment.words]
    right = sum(
        any(part.language == language and part.start_s <= word.start_us / 1e6 < part.end_s for part in parts)
        for word, language in words
    )
    return {
        "name": name,
        "minutes": round(conversation.duration_us / 60e6, 2),
        "parts": [{"start_s": round(p.start_s, 1), "end_s": round(p.end_s, 1), "language": p.language} for p in parts],
        "heard": spans,
        "language": conversation.language,
        "confidence": conversation.language_confidence,
        "words": len(words),
        "right_language_percent": round(100 * right / max(1, len(words)), 1),
        "read_as_english": sum(
            s.language != "en" and (s.polarity is not None or s.emotions is not None) for s in conversation.sentences
        ),
    }


async def measure(folder: Path) -> dict[str, Any]:
    """The figures."""
    with running_system() as system:
        async with system.client() as client:
            rows = [utterance_row(one, await _upload_utterance(system, client, folder, one)) for one in languages()]
            made = []
            for name, (samples, parts) in made_meetings().items():
                path = write_flac(as_pcm(samples), folder / f"{name}.flac")
                made.append(meeting_row(name, await stored_conversation(system, client, path), parts))
    return {"languages": pooled(rows), "utterances": rows, "meetings": made}


async def _upload_utterance(
    system: RunningSystem, client: MeetraClient, folder: Path, spoken: TranscribedRecording
) -> Conversation:
    path = write_flac(as_pcm(read_samples(spoken.paths[0])), folder / f"{spoken.language}-{spoken.name}.flac")
    return await stored_conversation(system, client, path)


def print_figures(figures: dict[str, Any]) -> None:
    print(f"{'language':<10}{'utterances':>11}{'detected':>10}{'errors %':>10}{'of':>6}")
    for row in figures["languages"]:
        print(
            f"{row['language']:<10}{row['utterances']:>11}{row['detected_right']:>10}{row['error_rate']:>10}"
            f"{row['units']:>6}"
        )
    for row in figures["utterances"]:
        if row["detected"] != row["language"]:
            print(f"  {row['language']} {row['name']}: detected as {row['detected'] or 'none'} ({row['confidence']})")
    for row in figures["meetings"]:
        print(f"\n{row['name']}, {row['minutes']} min: {row['right_language_percent']} % of {row['words']} words")
        for kind in ("parts", "heard"):
            listed = ", ".join(f"{s['language']} {s['start_s']}-{s['end_s']}" for s in row[kind])
            print(f"  {'spoken' if kind == 'parts' else 'heard'}: {listed}")
        print(f"  sentences of another language read as English: {row['read_as_english']}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.languages", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not LANGUAGES.is_dir():
        print(f"no speech in several languages in {LANGUAGES}", file=sys.stderr)
        return 2
    ensure_scorers()
    with temporary_folder() as folder:
        figures = asyncio.run(measure(folder))
    print_figures(figures)
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, ensure_ascii=False, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
