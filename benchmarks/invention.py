"""Words that nobody said: half an hour of everything but speech, through the whole server path.

    python -m benchmarks.invention [--minutes 30] [--json FILE]

The clips of the evaluation data where it lies beside the checkout, and made sounds at three levels for the rest of the
time, each a recording of its own: silence, dither, hiss, a fan, a keyboard, breathing, applause, telephones, beeps,
music, sweeps. Every word is one too many.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.accuracy import stored_conversation
from benchmarks.in_process import as_pcm
from benchmarks.recordings import RATE_HZ, temporary_folder, write_flac
from benchmarks.running_system import circumstances, running_system
from benchmarks.sounds import NONSPEECH, VARIANTS, NonspeechSound, made, recorded

# A made sound shorter than this says little.
MIN_S = 4.0


def sounds(minutes: float) -> list[NonspeechSound]:
    """So many minutes, or a little more where that would leave made sounds too short."""
    clips = recorded()
    rest_s = minutes * 60 - sum(len(clip.samples) for clip in clips) / RATE_HZ
    each_s = max(MIN_S, rest_s / len(VARIANTS))
    return [*clips, *(made(kind, each_s, level_dbfs) for kind, level_dbfs in VARIANTS)]


async def measure(minutes: float, folder: Path) -> dict[str, Any]:
    """The figures."""
    by_kind: dict[str, dict[str, float]] = defaultdict(lambda: {"minutes": 0.0, "words": 0})
    invented = []
    with running_system() as system:
        async with system.client() as client:
            for sound in sounds(minutes):
                name = re.sub(r"\W+", "-", sound.name)
                path = write_flac(as_pcm(sound.samples), folder / f"{name}.flac")
                conversation = await stored_conversation(system, client, path)
                row = by_kind[sound.kind]
                row["minutes"] += len(sound.samples) / RATE_HZ / 60
                row["words"] += len(conversation.words)
                if conversation.words:
                    text = " ".join(word.text for word, _ in conversation.words)
                    invented.append(
                        {
                            "name": sound.name,
                            "text": text,
                            "language": conversation.language,
                            "confidence": conversation.mean_word_confidence,
                        }
                    )
    return {
        "minutes": round(sum(row["minutes"] for row in by_kind.values()), 1),
        "words": sum(row["words"] for row in by_kind.values()),
        "by_kind": {kind: {**row, "minutes": round(row["minutes"], 2)} for kind, row in by_kind.items()},
        "invented": invented,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.invention", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="total length of all sounds, minutes")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not NONSPEECH.is_dir():
        print(f"no recorded sounds in {NONSPEECH}: using synthetic ones only", file=sys.stderr)
    with temporary_folder() as folder:
        figures = asyncio.run(measure(options.minutes, folder))
    print(f"{'sound':<34}{'minutes':>8}{'words':>7}")
    for kind, row in figures["by_kind"].items():
        print(f"{kind:<34}{row['minutes']:>8}{row['words']:>7}")
    print(f"{'in all':<34}{figures['minutes']:>8}{figures['words']:>7}")
    for found in figures["invented"]:
        print(f"  {found['name']} ({found['language']}): {found['text']}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, ensure_ascii=False, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
