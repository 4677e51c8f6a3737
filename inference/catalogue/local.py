"""Models on this machine: finding them and checking their bytes."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.catalogue.embedded import locate_files
from inference.catalogue.entry import EmbeddedModel, Format, ModelEntry, PublishedModel, ResolvedModel
from inference.catalogue.listing import CatalogueUnreadable, catalogue, looks_like_path
from inference.catalogue.part_file import BLOCK
from inference.models import ModelCorrupt, ModelMissing, ModelUnfit

RECORD = "pulled.json"
MAX_RECORD_BYTES = 8 * 1024 * 1024
PINNED_PATH = re.compile(r"(?P<path>.+)@sha256:(?P<sha256>[0-9a-fA-F]{64})")
SUFFIX_FORMATS: dict[str, Format] = {
    ".onnx": "onnx",
    ".nemo": "nemo",
    ".safetensors": "safetensors",
    ".pt": "pickle",
}
CTRANSLATE2_FILES = ("model.bin", "config.json")
"""Files of a folder in CTranslate2's layout; suffixes alone do not identify it."""
log = logging.getLogger("inference.catalogue")


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A pulled file, and the source of its digest."""

    sha256: str
    size: int
    stated_by: str
    """``catalogue``, ``hub``, or ``first use``."""


def models_folder() -> Path:
    """Return the folder of pulled models: ``MEETRA_MODELS_DIR``, or ``meetra/models`` in the user's cache.

    Models are gigabytes that can be fetched again and that all data folders of a machine share, so they belong in the
    cache, not in a data folder, which is backed up.
    """
    given = os.environ.get("MEETRA_MODELS_DIR")
    if given:
        return Path(given).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meetra" / "models"


def read_record(folder: Path) -> dict[str, dict[str, RecordedFile]]:
    """Read the digests recorded by pulls: by model, then path inside its folder. Raises ModelCorrupt."""
    path = folder / RECORD
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_RECORD_BYTES + 1)
    except FileNotFoundError:
        return {}
    try:
        if len(raw) > MAX_RECORD_BYTES:
            raise ValueError("too large")
        models = json.loads(raw)["models"]
        record = {
            name: {path: RecordedFile(**file) for path, file in model["files"].items()}
            for name, model in models.items()
        }
        if any(not re.fullmatch("[0-9a-f]{64}", file.sha256) for files in record.values() for file in files.values()):
            raise ValueError("a digest is invalid")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelCorrupt(f"{path} cannot be read ({error}); remove it and pull the models again") from error
    return record


def sha256_of(path: Path, progress: Callable[[int], None] = lambda _: None) -> str:
    """Return a file's SHA-256; ``progress`` is called with the length of each block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            progress(len(block))
    return digest.hexdigest()


def check_published(entry: PublishedModel, folder: Path) -> dict[str, str]:
    """Hash all files of a pulled model.

    Returns:
        The digests found, by path inside the model's folder.

    Raises:
        ModelMissing: a file is not here.
        ModelCorrupt: a file's digest differs from the catalogue's, or from the record of its pull.
    """
    fix = f"run: meetra models pull {entry.name}"
    record = read_record(folder).get(entry.name, {})
    found: dict[str, str] = {}
    for file in entry.files:
        path = folder / entry.name / file.path
        if not path.is_file():
            raise ModelMissing(f"{entry.name} ({entry.task}) is missing: no {path}; {fix}")
    for file in entry.files:
        path = folder / entry.name / file.path
        recorded = record.get(file.path)
        expected = file.sha256 or (recorded.sha256 if recorded else None)
        if expected is None:
            raise ModelCorrupt(
                f"{entry.name} ({entry.task}): the digest of {path} is unknown; "
                f"copy {RECORD} along with the models, or {fix}"
            )
        found[file.path] = sha256_of(path)
        if found[file.path] != expected:
            raise ModelCorrupt(
                f"{entry.name} ({entry.task}): {path} has SHA-256 {found[file.path]}, not {expected}; {fix}"
            )
    return found


def resolve(name_or_path: str, task: str) -> ResolvedModel:
    """Find and check the model that a setting names.

    Args:
        name_or_path: a name of the catalogue, a path of a file or folder, or ``PATH@sha256:HEX``.
        task: one of ``inference.catalogue.entry.TASKS``.

    Raises:
        ModelMissing: unknown, or not here; the message names the command that fetches it.
        ModelCorrupt: its digest differs from the catalogue's, the record of its pull, or ``HEX``.
        ModelUnfit: it is for another task, no backend runs it, or its digest cannot be checked as asked.
        CatalogueUnreadable: the user's catalogue has a mistake.
    """
    known = catalogue()
    entry = known.find(name_or_path)
    if entry is None:
        if looks_like_path(name_or_path):
            return _resolve_path(name_or_path, task)
        names = known.names_for(task)
        raise ModelMissing(f"no model named {name_or_path!r} ({task}); the catalogue has: {names}; a file needs a '/'")
    if entry.task != task:
        raise ModelUnfit(f"{entry.key} is for {entry.task}, not {task}; models for {task}: {known.names_for(task)}")
    if not entry.backend:
        raise ModelUnfit(f"{entry.key} ({task}): no backend runs it yet; 'meetra models list' shows which models run")
    return resolve_entry(entry)


def resolve_entry(entry: ModelEntry) -> ResolvedModel:
    """Check the files of a catalogue model, or those of its pulled twin where its own are missing or wrong.

    Raises:
        ModelMissing, ModelCorrupt: the message names the command that fetches it.
    """
    if isinstance(entry, EmbeddedModel):
        try:
            return _resolve_embedded(entry)
        except (ModelMissing, ModelCorrupt) as problem:
            try:
                twin = _resolve_twin(entry)
            except (ModelCorrupt, CatalogueUnreadable) as error:
                raise type(problem)(f"{problem}; the pulled copy cannot replace it: {error}") from error
            if twin is None:
                raise
            log.info("%s; using %s instead", problem, entry.twin)
            return twin
    assert isinstance(entry, PublishedModel)
    digests = check_published(entry, models_folder())
    return ResolvedModel(_published_path(entry), entry.task, entry.format, entry, digests)


def _published_path(entry: PublishedModel) -> Path:
    """Return the file of a single-file model, otherwise its folder."""
    folder = models_folder() / entry.name
    return folder / entry.files[0].path if len(entry.files) == 1 else folder


def _resolve_embedded(entry: EmbeddedModel) -> ResolvedModel:
    found = locate_files(entry)
    digests = {file.name: file.sha256 for file in entry.files}
    if len(found) == 1 and len(entry.files[0].parts) == 1:
        return ResolvedModel(found[entry.files[0].name][0], entry.task, entry.format, entry, digests)
    return ResolvedModel(Path(entry.key), entry.task, entry.format, entry, digests, found)


def _resolve_twin(entry: EmbeddedModel) -> ResolvedModel | None:
    """Return the pulled model with the same files, if any. Raises ModelCorrupt or CatalogueUnreadable."""
    twin = catalogue().find(entry.twin) if entry.twin else None
    if not isinstance(twin, PublishedModel):
        return None
    try:
        digests = check_published(twin, models_folder())
    except ModelMissing:
        return None
    # A user's catalogue may give the name to another model.
    if digests != {file.name: file.sha256 for file in entry.files}:
        return None
    return ResolvedModel(_published_path(twin), entry.task, entry.format, entry, digests)


def _resolve_path(value: str, task: str) -> ResolvedModel:
    pinned = PINNED_PATH.fullmatch(value)
    if pinned is None and "@sha256:" in value:
        raise ModelUnfit(f"{value} ({task}): give 64 hexadecimal digits after @sha256:")
    path = Path(pinned["path"] if pinned else value).expanduser().absolute()
    if not path.exists():
        raise ModelMissing(f"no model at {path} ({task}); give a file, a folder, or a name of 'meetra models list'")
    digests: dict[str, str] = {}
    if pinned:
        if not path.is_file():
            raise ModelUnfit(f"{path} ({task}) is a folder; @sha256 is for one file")
        digests[path.name] = sha256_of(path)
        if digests[path.name] != pinned["sha256"].lower():
            raise ModelCorrupt(f"{path} ({task}) has SHA-256 {digests[path.name]}, not {pinned['sha256'].lower()}")
    return ResolvedModel(path, task, _detect_format(path, task), None, digests)


def _detect_format(path: Path, task: str) -> Format:
    if path.is_file():
        if format_ := SUFFIX_FORMATS.get(path.suffix.lower()):
            return format_
        raise ModelUnfit(
            f"{path} ({task}): a model file ends in {', '.join(SUFFIX_FORMATS)}; for CTranslate2 give the folder"
        )
    # First, since such a folder may also hold the model it was converted from.
    if all((path / name).is_file() for name in CTRANSLATE2_FILES):
        return "ctranslate2"
    suffixes = {item.suffix.lower() for item in path.rglob("*") if item.is_file()}
    found = [format_ for suffix, format_ in SUFFIX_FORMATS.items() if suffix in suffixes]
    if not found:
        raise ModelUnfit(
            f"{path} ({task}) holds no file that ends in {', '.join(SUFFIX_FORMATS)}, "
            f"and not {' and '.join(CTRANSLATE2_FILES)}"
        )
    return found[0]
