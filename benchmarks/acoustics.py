"""Error rates of acoustic detection: reverberation, lost packets, clipping, music, voices.

    python -m benchmarks.acoustics [--json FILE]

Clean speech is LibriSpeech test-other and the synthetic dialogues; it is spoiled in known ways.
Music is what the FLAC test files hold. Voices: LibriSpeech speakers, each in two halves. Models are chosen as for
the inference server (docs/engines.md).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.recordings import (
    EVAL,
    RATE_HZ,
    Samples,
    clipped,
    read_samples,
    read_speech,
    reverberated,
    with_lost_packets,
)
from benchmarks.running_system import circumstances
from inference.acoustics import SegmentAcoustics
from inference.config import InferenceSettings
from inference.engine import ModelEngine
from inference.selection import load_models
from inference.session import Session, SessionConfig
from inference.stages import FinishedEvent, TurnEvent
from server.insights import is_lagging, is_reverberant

UTTERANCES_TOGETHER = 3


async def analyse(engine: ModelEngine, samples: Samples) -> tuple[list[TurnEvent], FinishedEvent]:
    """What the engine hears, without recognising words."""
    session = Session(engine, SessionConfig(expected_speakers=1, transcribe=False))
    try:
        pcm = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
        for start in range(0, len(pcm), RATE_HZ):
            await session.push(pcm[start : start + RATE_HZ])
        events = await session.finish()
    finally:
        await session.close()
    turns = [event for event in events if isinstance(event, TurnEvent)]
    finished = next(event for event in events if isinstance(event, FinishedEvent))
    return turns, finished


def passages() -> list[Samples]:
    """Clean speech of one person each: LibriSpeech utterances by threes."""
    found = []
    for files in read_speech(EVAL / "librispeech").values():
        for start in range(0, len(files) - UTTERANCES_TOGETHER + 1, UTTERANCES_TOGETHER):
            found.append(np.concatenate([read_samples(p) for p in files[start : start + UTTERANCES_TOGETHER]]))
    return found


async def detection_rate(
    engine: ModelEngine, recordings: Iterable[Samples], detects: Callable[[list[TurnEvent]], bool]
) -> dict[str, Any]:
    """In how many of the recordings something is detected."""
    answers = [detects((await analyse(engine, samples))[0]) for samples in recordings]
    return {"recordings": len(answers), "told": sum(answers), "percent": round(100 * np.mean(answers), 1)}


def acoustics(turns: list[TurnEvent]) -> list[SegmentAcoustics]:
    return [turn.acoustics for turn in turns if turn.acoustics]


def has_reverberation(turns: list[TurnEvent]) -> bool:
    return is_reverberant(
        [d for a in acoustics(turns) for d in a.decays_db_per_s], sum(t.end_s - t.start_s for t in turns)
    )


def has_lag(turns: list[TurnEvent]) -> bool:
    return is_lagging(sum(a.gaps for a in acoustics(turns)), sum(t.end_s - t.start_s for t in turns))


def has_clipping(turns: list[TurnEvent]) -> bool:
    return any(a.clipping_percent > 0.05 for a in acoustics(turns))


async def music(engine: ModelEngine) -> list[dict[str, Any]]:
    """Share of the time classified as music: of music, and of speech."""
    rows = []
    music_samples = []
    for path in sorted((EVAL / "broken" / "uncommon").glob("*.flac")):
        try:
            music_samples.append(read_samples(path))
        except (av.error.FFmpegError, ValueError):
            continue
    speech = [read_samples(p) for folder in ("ami", "synthetic") for p in sorted((EVAL / folder).glob("*.flac"))]
    for name, recordings in (("music", music_samples), ("speech", [*speech, *passages()])):
        seconds = music_s = 0.0
        for samples in recordings:
            _, finished = await analyse(engine, samples)
            seconds += len(samples) / RATE_HZ
            music_s += sum(end - start for start, end in finished.acoustics.music)
        rows.append({"what": name, "seconds": round(seconds), "told_percent": round(100 * music_s / seconds, 1)})
    return rows


async def voices(engine: ModelEngine) -> dict[str, Any]:
    """Similarity of the same voice in two recordings, and of two voices; errors at the encoder's threshold."""
    threshold = engine.models.encoder.profile.same_voice_similarity
    vectors: dict[str, list[np.ndarray[Any, Any]]] = {}
    for speaker, files in read_speech(EVAL / "librispeech").items():
        for half in (files[: len(files) // 2], files[len(files) // 2 :]):
            _, finished = await analyse(engine, np.concatenate([read_samples(p) for p in half]))
            vectors.setdefault(speaker, []).append(finished.voices.vectors[0])
    same = [float(a @ b) for a, b in vectors.values()]
    other = [float(a @ b) for x, y in combinations(vectors, 2) for a in vectors[x] for b in vectors[y]]
    return {
        "threshold": threshold,
        "same_min": round(min(same), 3),
        "same_median": round(float(np.median(same)), 3),
        "other_max": round(max(other), 3),
        "other_median": round(float(np.median(other)), 3),
        "missed_percent": round(100 * np.mean([s < threshold for s in same]), 1),
        "false_percent": round(100 * np.mean([s >= threshold for s in other]), 2),
    }


async def measure() -> dict[str, Any]:
    engine = ModelEngine(load_models(InferenceSettings(threads=2, recogniser_workers=1)))
    try:
        clean = passages()
        degraded: dict[str, tuple[Callable[[list[TurnEvent]], bool], list[Samples]]] = {
            "reverb: clean": (has_reverberation, clean),
            **{
                f"reverb: T60 {t} s": (has_reverberation, [reverberated(s, t) for s in clean])
                for t in (0.3, 0.5, 0.8, 1.2)
            },
            "lagging: clean": (has_lag, clean),
            **{f"lagging: {p:.0%} lost": (has_lag, [with_lost_packets(s, p) for s in clean]) for p in (0.01, 0.05)},
            "clipping: clean": (has_clipping, clean),
            "clipping: +20 dB": (has_clipping, [clipped(s, 20) for s in clean]),
        }
        rows = {}
        for name, (detects, recordings) in degraded.items():
            rows[name] = await detection_rate(engine, recordings, detects)
            print(
                f"{name:<22}{rows[name]['told']:>4} of {rows[name]['recordings']:<4}{rows[name]['percent']:>7} %",
                flush=True,
            )
        tonal = await music(engine)
        for row in tonal:
            print(f"told to be music, of {row['what']:<8}{row['told_percent']:>7} % of {row['seconds']} s", flush=True)
        known = await voices(engine)
        print("voices: " + ", ".join(f"{name} {value}" for name, value in known.items()))
        return {"told": rows, "music": tonal, "voices": known}
    finally:
        await engine.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.acoustics", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not EVAL.is_dir():
        print(f"no evaluation recordings in {EVAL}", file=sys.stderr)
        return 2
    figures = asyncio.run(measure())
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
