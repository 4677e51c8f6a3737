"""How right the live labels and words are, beside the final ones.

    python -m benchmarks.live_accuracy [--data DIR ...] [--speed 4] [--json FILE]

Each recording with ground truth is streamed as a live meeting. DER (overlap scored, whole file,
collar 0 and 0.25 s on each side, percent) of three hypotheses: each segment as it was when it first
was stable; as it stood before FINISH, revisions included; and as it is in the end. WER (percent) of the words
as they were first told, and of the final ones. Means are over recordings, of all and of each folder.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.accuracy import COLLAR_S, DEFAULT_DATA, find_recordings
from benchmarks.first_words import FirstWords
from benchmarks.live_load import TRACK
from benchmarks.recordings import RATE_HZ, read_samples
from benchmarks.running_system import ROOT, circumstances, running_system
from benchmarks.scorers import ensure_scorers
from benchmarks.scoring import SpokenInterval, diarization_error_rate, read_rttm, read_stm_words, word_error_rate
from meetra_client import Event, MeetraClient, SpeakerRevision, Turn, TurnState, Word, WordStability

STEP = RATE_HZ // 5
VIEWS = ("first", "live", "final")
WORDS = ("first_wer", "final_wer")
# What is said last needs a moment to become stable before the meeting is finished.
SETTLE_S = 3.0


async def streamed(client: MeetraClient, path: Path, speed: float) -> tuple[list[Event], float]:
    """The events of a recording streamed so many times faster than real time, and its length in seconds."""
    pcm = np.round(read_samples(path) * 32768).clip(-32768, 32767).astype("<i2")
    seen: list[Event] = []
    async with client.live(name=path.stem, tracks=[TRACK]) as meeting:

        async def read() -> None:
            async for event in meeting.events():
                seen.append(event)

        reading = asyncio.create_task(read())
        began = time.monotonic()
        for first in range(0, len(pcm), STEP):
            await asyncio.sleep(max(0.0, began + first / RATE_HZ / speed - time.monotonic()))
            await meeting.send("mix", pcm[first : first + STEP].tobytes())
        await asyncio.sleep(SETTLE_S)
        await meeting.finish()
        await reading
    return seen, len(pcm) / RATE_HZ


def turns_over_time(events: list[Event]) -> dict[str, list[SpokenInterval]]:
    """What a client knew: at first, before the end, in the end."""
    first: dict[int, Turn] = {}
    live: dict[int, Turn] = {}
    final: dict[int, Turn] = {}
    for turn in (event for event in events if isinstance(event, Turn)):
        final[turn.segment_id] = turn
        if turn.state is TurnState.FINAL:
            continue
        live[turn.segment_id] = turn
        if turn.state is TurnState.STABLE:
            first.setdefault(turn.segment_id, turn)
    ended = {id_ for id_, turn in final.items() if turn.state is TurnState.FINAL}
    # Segments that the end alone retracted stood while the meeting went on.
    kept = {id_: t for id_, t in live.items() if id_ in ended or t.state is not TurnState.RETRACTED}
    chosen = {"first": first, "live": kept, "final": {id_: final[id_] for id_ in ended}}
    return {
        name: [SpokenInterval(t.start_ms / 1e3, t.end_ms / 1e3, t.speaker_id) for t in turns.values()]
        for name, turns in chosen.items()
    }


def texts(events: list[Event]) -> dict[str, str]:
    """What was said, as it was told first, and in the end."""
    seen_words = FirstWords()
    first: list[Word] = []
    final: dict[int, Turn] = {}
    for turn in (event for event in events if isinstance(event, Turn)):
        if turn.state is TurnState.FINAL:
            final[turn.segment_id] = turn
            continue
        # What only final words add was not told at first.
        first += [word for word in seen_words.add(turn.words) if word.stability is not WordStability.FINAL]
    last = [word for turn in final.values() for word in turn.words]
    return {
        name: " ".join(word.text for word in sorted(words, key=lambda word: (word.start_ms, word.end_ms)))
        for name, words in (("first_wer", first), ("final_wer", last))
    }


def score(path: Path, events: list[Event], duration_s: float) -> dict[str, Any]:
    """The row of one recording."""
    reference = read_rttm(path.with_suffix(".rttm"))
    row: dict[str, Any] = {"name": path.stem, "folder": path.parent.name}
    for name, hypothesis in turns_over_time(events).items():
        row[name] = round(diarization_error_rate(reference, hypothesis, duration_s, 0.0), 2)
        row[f"{name}_collar"] = round(diarization_error_rate(reference, hypothesis, duration_s, COLLAR_S), 2)
    row |= dict.fromkeys(WORDS)
    if (stm := path.with_suffix(".stm")).exists():
        reference_text = read_stm_words(stm)
        row |= {
            name: round(word_error_rate(reference_text, hypothesis_text), 2)
            for name, hypothesis_text in texts(events).items()
        }
    row["speaker_revisions"] = sum(isinstance(event, SpeakerRevision) for event in events)
    return row


async def measure(paths: list[Path], speed: float) -> list[dict[str, Any]]:
    """A row for each recording."""
    rows = []
    with running_system() as system:
        async with system.client() as client:
            for path in paths:
                row = score(path, *await streamed(client, path, speed))
                rows.append(row)
                print_row(row)
    return rows


def print_row(row: dict[str, Any]) -> None:
    figures = "".join(f"{row[view]:>9.2f}{row[view + '_collar']:>9.2f}" for view in VIEWS)
    words = "".join(f"{'-' if row[name] is None else format(row[name], '.2f'):>11}" for name in WORDS)
    print(f"{row['name']:<16}{figures}{words}{row['speaker_revisions']:>11}", flush=True)


def mean_row(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of the rates, and the sum of the revisions."""
    row: dict[str, Any] = {"name": name}
    for key in [*(view + suffix for view in VIEWS for suffix in ("", "_collar")), *WORDS]:
        known = [other[key] for other in rows if other[key] is not None]
        row[key] = round(fmean(known), 2) if known else None
    return row | {"speaker_revisions": sum(other["speaker_revisions"] for other in rows)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", help="folders of recordings with ground truth")
    parser.add_argument("--speed", type=float, default=4, help="speed of the streams, times real time")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    folders = options.data or [folder for folder in DEFAULT_DATA if folder.is_dir()] or [ROOT / "sample"]
    paths = find_recordings(folders)
    if not paths:
        print(f"no .flac or .wav with an .rttm beside it in {', '.join(map(str, folders))}", file=sys.stderr)
        return 2
    ensure_scorers()
    views_of = "".join(f"{view + ' DER':>9}{'.25':>9}" for view in VIEWS)
    print(f"{'recording':<16}{views_of}" + "".join(f"{name:>11}" for name in WORDS) + f"{'revisions':>11}")
    rows = asyncio.run(measure(paths, options.speed))
    sets = [(name, [row for row in rows if row["folder"] == name]) for name in sorted({row["folder"] for row in rows})]
    means = {name: mean_row(f"mean {name}", of) for name, of in [*sets, ("all", rows)]}
    for row in means.values():
        print_row(row)
    if options.json:
        figures = {"recordings": rows, "mean": means, "units": "percent", **circumstances()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
