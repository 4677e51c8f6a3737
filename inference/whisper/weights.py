"""Loading Whisper in CTranslate2's layout: from a folder, or from files of several packages in memory."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ctranslate2
from tokenizers import Tokenizer

from inference.gpu import load_cublas
from inference.models import ModelCorrupt, ModelMissing, ModelUnfit
from inference.whisper.recogniser import WhisperRecogniser
from inference.whisper.tokens import WhisperTokens
from inference.whisper.worker_threads import WorkerThreads

WEIGHTS, TOKENIZER, CONFIG = "model.bin", "tokenizer.json", "config.json"
# Added to the process's: a tenth of the weight, as for audio quality. Diarization and provisional words go first.
WINDOWS_NICENESS = 10
# A space in byte-level tokenizers.
SPACE = "\u0120"
VOCABULARIES = ("vocabulary.txt", "vocabulary.json")
MAX_TEXT_BYTES = 64 * 1024 * 1024
log = logging.getLogger(__name__)


def load_whisper(
    path: Path,
    parts: Mapping[str, Sequence[Path]],
    *,
    device: str = "cpu",
    workers: int = 1,
    languages: Sequence[str] = (),
) -> WhisperRecogniser:
    """Load a recogniser.

    Args:
        path: of its folder; only a name where there are ``parts``.
        parts: its files by name, each the paths to concatenate.
        device: ``cpu``, ``cuda`` or ``auto``, a GPU where CTranslate2 finds one. It computes in int8 on a CPU, in
            float16 on a GPU.
        workers: windows processed concurrently on a CPU, one thread each.
        languages: languages that may be spoken, BCP 47 primary tags; empty: all that it knows.

    Raises:
        ModelMissing: a file is missing.
        ModelCorrupt: a file cannot be parsed.
        ModelUnfit: a missing device, an unknown language, or not Whisper.
    """
    on_gpu = _on_gpu(device)
    if on_gpu:
        load_cublas()
    files = {name: b"".join(part.read_bytes() for part in where) for name, where in parts.items()}
    tokens = WhisperTokens(_tokenizer(path, files))
    options: dict[str, Any] = {
        "device": "cuda" if on_gpu else "cpu",
        "compute_type": "float16" if on_gpu else "int8",
        "inter_threads": 1 if on_gpu else workers,
        "intra_threads": 1,
    }
    if files:
        options["files"] = files
    else:
        _check_folder(path)
    model, threads = _open(path, options)
    provisional = (model, threads)
    if not on_gpu:
        # Windows are long work that nobody waits for during a meeting; live work must not compete with them on equal
        # terms. CTranslate2's threads take any work, so provisional words have a model and thread of their own.
        provisional = _open(path, {**options, "inter_threads": 1})
        threads.lower_priority(WINDOWS_NICENESS)
    if unknown := set(languages) - set(tokens.languages if model.is_multilingual else ("en",)):
        raise ModelUnfit(f"{path.name} does not know the languages {', '.join(sorted(unknown))}")
    languages_known = tokens.languages if model.is_multilingual else ("en",)
    return WhisperRecogniser(
        model,
        tokens,
        tuple(languages) or languages_known,
        threads,
        provisional=provisional,
        parallel=options["inter_threads"],
    )


def _open(path: Path, options: Mapping[str, Any]) -> tuple[Any, WorkerThreads]:
    """Open the model; return it with the threads it runs on. Raises ModelCorrupt."""
    try:
        with WorkerThreads.recording() as threads:
            return ctranslate2.models.Whisper(str(path), **options), threads
    except Exception as error:
        raise ModelCorrupt(f"{path} cannot be opened as Whisper: {' '.join(str(error).split())[:400]}") from error


def _on_gpu(device: str) -> bool:
    if device == "cpu":
        return False
    found = bool(ctranslate2.get_cuda_device_count() > 0)
    if not found and device != "auto":
        raise ModelUnfit("CTranslate2 finds no CUDA device; set MEETRA_INFERENCE_DEVICE=cpu, or auto")
    return found


def _tokenizer(path: Path, files: Mapping[str, bytes]) -> Tokenizer:
    file = path / TOKENIZER
    if not files and not file.is_file():
        raise ModelMissing(f"{path} holds no {TOKENIZER}; copy it from the model's source")
    try:
        if not files and file.stat().st_size > MAX_TEXT_BYTES:
            raise ValueError(f"it is larger than {MAX_TEXT_BYTES} bytes")
        return Tokenizer.from_str(_restore_first_merge(files[TOKENIZER] if files else file.read_bytes()))
    except Exception as error:
        raise ModelCorrupt(f"{file} is not a tokenizer: {str(error)[:200]}") from error


def _restore_first_merge(raw: bytes) -> str:
    """Restore the tokenizer's first merge, lost in conversions of Whisper: without it no word begins with "t"."""
    described = json.loads(raw)
    merges = described["model"].get("merges", [])
    first = [SPACE, "t"] if merges and isinstance(merges[0], list) else f"{SPACE} t"
    if f"{SPACE}t" in described["model"]["vocab"] and first not in merges[:1]:
        merges.insert(0, first)
    return json.dumps(described)


def _check_folder(path: Path) -> None:
    """Check the files first: CTranslate2 reports a missing one only as a failure to open."""
    for name in (WEIGHTS, CONFIG):
        if not (path / name).is_file():
            raise ModelMissing(f"{path} holds no {name}; a Whisper model in CTranslate2's layout has one")
    if not any((path / name).is_file() for name in VOCABULARIES):
        raise ModelMissing(f"{path} holds neither {' nor '.join(VOCABULARIES)}")
    try:
        if (path / CONFIG).stat().st_size > MAX_TEXT_BYTES:
            raise ValueError("too large")
        config = json.loads((path / CONFIG).read_bytes())
        if not isinstance(config, dict):
            raise ValueError("no object")
    except ValueError as error:
        raise ModelCorrupt(f"{path / CONFIG} cannot be read: {error}") from error
    if not config.get("alignment_heads"):
        log.info("%s names no alignment heads: CTranslate2 takes those of the last layers", path.name)
