"""Accuracy on recordings with ground truth, through the whole server path.

    python -m benchmarks.accuracy [--data DIR ...] [--json FILE]

DIR holds .flac or .wav files with .rttm (and .stm) beside them. DER: overlap scored, the whole
file, collar 0 and 0.25 s on each side. All rates in percent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.running_system import ROOT, RunningSystem, circumstances, running_system
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import SpokenInterval, diarization_error_rate, read_rttm, read_stm_words, word_error_rate
from server.cli.client import Client
from server.conversation import Conversation

COLLAR_S = 0.25
DEFAULT_DATA = (ROOT.parent / "shared" / "eval" / "ami", ROOT.parent / "shared" / "eval" / "synthetic")


def recordings_in(folders: list[Path]) -> list[Path]:
    """Audio files with an .rttm beside them, below the folders."""
    found = (path for folder in folders for kind in ("*.flac", "*.wav") for path in folder.rglob(kind))
    return sorted(path for path in found if path.with_suffix(".rttm").exists())


async def conversation_of(system: RunningSystem, client: Client, path: Path) -> Conversation:
    """Uploads a recording through the gateway and reads the conversation the server stored.

    The public answers round times to seconds, so the scores are taken from the stored document.
    """
    receipt = await client.upload(path, name=path.name)
    async for state in client.states(receipt.file_hash):
        if state.status == "failed":
            raise RuntimeError(f"{path.name}: {state.message}")
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
    reference = read_rttm(path.with_suffix(".rttm"))
    hypothesis = [SpokenInterval(s.start_us / 1e6, s.end_us / 1e6, str(s.speaker)) for s in conversation.segments]
    duration_s = conversation.duration_us / 1e6
    stm = path.with_suffix(".stm")
    words = " ".join(word.text for word, _ in conversation.words)
    return {
        "name": path.stem,
        "der": round(diarization_error_rate(reference, hypothesis, duration_s, 0.0), 2),
        "der_collar": round(diarization_error_rate(reference, hypothesis, duration_s, COLLAR_S), 2),
        "speakers_ref": len({interval.speaker for interval in reference}),
        "speakers_hyp": len(conversation.speakers),
        "wer": round(word_error_rate(read_stm_words(stm), words), 2) if stm.exists() else None,
    }


async def measure(paths: list[Path]) -> list[dict[str, Any]]:
    """A row for each recording, in the order given."""
    rows = []
    with running_system() as system:
        async with Client(system.gateway) as client:
            await client.login(system.email, system.password)
            for path in paths:
                row = score(path, await conversation_of(system, client, path))
                rows.append(row)
                print_row(row)
    return rows


def mean(rows: list[dict[str, Any]], key: str) -> float | None:
    known = [row[key] for row in rows if row[key] is not None]
    return round(sum(known) / len(known), 2) if known else None


def print_row(row: dict[str, Any]) -> None:
    wer = "-" if row["wer"] is None else f"{row['wer']:.1f}"
    speakers = f"{row['speakers_hyp']}/{row['speakers_ref']}" if row["speakers_ref"] else ""
    print(f"{row['name']:<14}{row['der']:>8.2f}{row['der_collar']:>10.2f}{speakers:>10}{wer:>8}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", help="folders of recordings with ground truth")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    folders = arguments.data or [folder for folder in DEFAULT_DATA if folder.is_dir()] or [ROOT / "sample"]
    paths = recordings_in(folders)
    if not paths:
        print(f"no .flac or .wav with an .rttm beside it in {', '.join(map(str, folders))}", file=sys.stderr)
        return 2
    ensure_scorers()
    print(f"{'recording':<14}{'DER %':>8}{'DER .25':>10}{'speakers':>10}{'WER %':>8}")
    rows = asyncio.run(measure(paths))
    means = {key: mean(rows, key) for key in ("der", "der_collar", "wer")}
    print_row({"name": "mean", "speakers_ref": 0, "speakers_hyp": 0, **means})
    if arguments.json:
        figures = {"recordings": rows, "mean": means, "units": "percent", **circumstances()}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
