"""Accuracy on recordings with ground truth, through the whole server path.

    python -m benchmarks.accuracy [--data DIR ...] [--spliced] [--json FILE]

DIR holds .flac or .wav files with .rttm (and .stm) beside them; --spliced adds the dialogues spliced of read speech
(benchmarks/diarization_data.py). DER: overlap scored, the whole file, collar 0 and 0.25 s on each side; its three
parts and JER without a collar. cpWER: a word said by one and given to another is an error. All rates in percent; the
mean is over recordings. Overlap: the time in which two or more are told beside that in which two or more speak.
Interruptions: by the product's own definition, in the reference's turns and in those told. Both are summed over the
recordings of a folder.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.diarization_data import spliced, write_case
from benchmarks.overlap_scoring import (
    InterruptionCounts,
    Overlap,
    interruptions,
    overlap,
    reference_conversation,
    spoken_intervals,
    summed,
)
from benchmarks.recordings import temporary_folder
from benchmarks.running_system import ROOT, RunningSystem, circumstances, running_system
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import (
    concatenated_word_error_rate,
    diarization_error_rate,
    diarization_errors,
    jaccard_error_rate,
    read_rttm,
    read_stm_speakers,
    read_stm_words,
    word_error_rate,
)
from meetra_client import MeetraClient
from server.conversation import Conversation

COLLAR_S = 0.25
RATES = ("der", "der_collar", "missed", "false_alarm", "confusion", "jer", "wer", "cpwer")
DEFAULT_DATA = (ROOT.parent / "shared" / "eval" / "ami", ROOT.parent / "shared" / "eval" / "synthetic")


def find_recordings(folders: list[Path]) -> list[Path]:
    """Audio files with an .rttm beside them, below the folders."""
    found = (path for folder in folders for kind in ("*.flac", "*.wav") for path in folder.rglob(kind))
    return sorted(path for path in found if path.with_suffix(".rttm").exists())


def spliced_recordings(folder: Path) -> list[Path]:
    """Writes the two sets of spliced dialogues below a folder; none without the speech that they are made of."""
    return [write_case(case, folder / f"spliced {half}") for half in (0, 1) for case in spliced(half)]


async def stored_conversation(system: RunningSystem, client: MeetraClient, path: Path) -> Conversation:
    """Uploads a recording through the gateway and reads the conversation the server stored.

    The public answers round times to seconds, so the scores are taken from the stored document.
    """
    receipt = await client.upload(path, name=path.name)
    await client.wait(receipt.file_hash)
    connection = await asyncpg.connect(system.database_url)
    try:
        document = await connection.fetchval(
            "SELECT document FROM conversations JOIN meetings ON id = meeting_id WHERE file_hash = $1",
            receipt.file_hash,
        )
    finally:
        await connection.close()
    return Conversation.from_document(json.loads(document))


def score(path: Path, conversation: Conversation) -> dict[str, Any]:
    """The row of one recording."""
    reference, hypothesis = read_rttm(path.with_suffix(".rttm")), spoken_intervals(conversation)
    duration_s = conversation.duration_us / 1e6
    errors = diarization_errors(reference, hypothesis, duration_s, 0.0)
    row: dict[str, Any] = {
        "name": path.stem,
        "folder": path.parent.name,
        "der": errors.rate,
        "der_collar": diarization_error_rate(reference, hypothesis, duration_s, COLLAR_S),
        "missed": errors.missed,
        "false_alarm": errors.false_alarm,
        "confusion": errors.confusion,
        "jer": jaccard_error_rate(reference, hypothesis, duration_s),
        "speakers_ref": len({interval.speaker for interval in reference}),
        "speakers_hyp": len(conversation.speakers),
        "wer": None,
        "cpwer": None,
        "overlap": overlap(reference, hypothesis),
        "interruptions": interruptions(reference_conversation(reference, conversation.duration_us), conversation),
    }
    if (stm := path.with_suffix(".stm")).exists():
        words_by_speaker: dict[str, list[str]] = {}
        for word, speaker in conversation.words:
            words_by_speaker.setdefault(str(speaker), []).append(word.text)
        texts_by_speaker = {speaker: " ".join(words) for speaker, words in words_by_speaker.items()}
        row["wer"] = word_error_rate(read_stm_words(stm), " ".join(word.text for word, _ in conversation.words))
        row["cpwer"] = concatenated_word_error_rate(read_stm_speakers(stm), texts_by_speaker)
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}


async def measure(paths: list[Path]) -> list[dict[str, Any]]:
    """A row for each recording, in the order given."""
    rows = []
    with running_system() as system:
        async with system.client() as client:
            for path in paths:
                row = score(path, await stored_conversation(system, client, path))
                rows.append(row)
                print_row(row)
    return rows


def mean(rows: list[dict[str, Any]], key: str) -> float | None:
    known = [row[key] for row in rows if row[key] is not None]
    return round(sum(known) / len(known), 2) if known else None


def print_row(row: dict[str, Any]) -> None:
    rates = "".join(f"{'-' if row[key] is None else format(row[key], '.2f'):>12}" for key in RATES)
    speakers = f"{row['speakers_hyp']}/{row['speakers_ref']}" if row["speakers_ref"] else ""
    print(f"{row['name']:<16}{speakers:>11}{rates}", flush=True)


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean rates, and overlap and interruptions of all."""
    found: Overlap = summed([row["overlap"] for row in rows])
    interrupted: InterruptionCounts = summed([row["interruptions"] for row in rows])
    return {
        **{key: mean(rows, key) for key in RATES},
        "overlap": {**found._asdict(), "precision": found.precision, "recall": found.recall},
        "interruptions": interrupted._asdict(),
    }


def print_simultaneous(sets: dict[str, dict[str, Any]]) -> None:
    """Overlap and interruptions of each set."""
    print(f"\n{'overlap (s)':<16}" + "".join(f"{key:>12}" for key in ("true", "told", "both", "precision", "recall")))
    for name, of in sets.items():
        values = ("-" if value is None else format(value, ".3f") for value in of["overlap"].values())
        print(f"{name:<16}" + "".join(f"{value:>12}" for value in values))
    print(f"\n{'interruptions':<16}" + "".join(f"{key:>17}" for key in InterruptionCounts._fields))
    for name, of in sets.items():
        print(f"{name:<16}" + "".join(f"{value:>17}" for value in of["interruptions"].values()))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", help="folders of recordings with ground truth")
    parser.add_argument("--spliced", action="store_true", help="include dialogues spliced from read speech")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    folders = options.data or [folder for folder in DEFAULT_DATA if folder.is_dir()] or [ROOT / "sample"]
    ensure_scorers()
    with temporary_folder() as made:
        paths = find_recordings(folders) + (spliced_recordings(made) if options.spliced else [])
        if not paths:
            print(f"no .flac or .wav with an .rttm beside it in {', '.join(map(str, folders))}", file=sys.stderr)
            return 2
        print(f"{'recording':<16}{'speakers':>11}" + "".join(f"{name:>12}" for name in RATES))
        rows = asyncio.run(measure(paths))
    by_folder = {folder: [row for row in rows if row["folder"] == folder] for folder in {row["folder"] for row in rows}}
    sets = {name: summarise(of) for name, of in [*sorted(by_folder.items()), ("all", rows)]}
    for name, rates in sets.items():
        print_row({"name": f"mean {name}", "speakers_ref": 0, "speakers_hyp": 0, **rates})
    print_simultaneous(sets)
    if options.json:
        named = [{**row, **{key: row[key]._asdict() for key in ("overlap", "interruptions")}} for row in rows]
        figures = {"recordings": named, "mean": sets, "units": "percent; overlap: seconds", **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
