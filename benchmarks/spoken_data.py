"""Recordings with what is said in them, of several kinds and languages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.recordings import EVAL, RATE_HZ, Samples, read_samples
from benchmarks.scoring import read_stm_words

LANGUAGES, READ = EVAL / "lang", EVAL / "librispeech"


@dataclass(frozen=True, slots=True)
class TranscribedRecording:
    """A recording and its words."""

    name: str
    set_name: str
    language: str
    """BCP 47 primary tag."""
    text: str
    paths: tuple[Path, ...]
    """Heard one after another."""

    def samples(self) -> Samples:
        """float32 mono at 16 kHz."""
        return np.concatenate([read_samples(path) for path in self.paths])

    @property
    def duration_s(self) -> float:
        return len(self.samples()) / RATE_HZ


def meetings(set_name: str) -> list[TranscribedRecording]:
    """``ami`` or ``synthetic``."""
    paths = sorted(path for path in (EVAL / set_name).glob("*.flac") if path.with_suffix(".stm").exists())
    return [
        TranscribedRecording(path.stem, set_name, "en", read_stm_words(path.with_suffix(".stm")), (path,))
        for path in paths
    ]


def readers() -> list[TranscribedRecording]:
    """LibriSpeech test-other: all that one speaker reads is a recording."""
    found: dict[str, TranscribedRecording] = {}
    for entry in _manifest(READ):
        speaker, path = entry["speaker"], READ / entry["file"]
        known = found.get(speaker, TranscribedRecording(speaker, "librispeech", "en", "", ()))
        text = f"{known.text} {entry['text']}".strip()
        found[speaker] = TranscribedRecording(speaker, "librispeech", "en", text, (*known.paths, path))
    return list(found.values())


def languages() -> list[TranscribedRecording]:
    """Utterances in languages other than English, each a recording."""
    return [
        TranscribedRecording(
            Path(entry["file"]).stem,
            "lang",
            entry["language"].split("-")[0],
            entry["text"],
            (LANGUAGES / entry["file"],),
        )
        for entry in _manifest(LANGUAGES)
    ]


def _manifest(folder: Path) -> list[dict[str, str]]:
    path = folder / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
