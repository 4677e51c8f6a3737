"""Reading the catalogue: Meetra's entries of published models, and those of a user's file."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from inference.catalogue.embedded import EMBEDDED
from inference.catalogue.entry import TASKS, Format, ModelEntry, ModelFile, PublishedModel, catalogue_key

PUBLISHED_FOLDER = Path(__file__).parent / "published"
# A catalogue is written by hand; a larger file is something else.
MAX_CATALOGUE_BYTES = 1024 * 1024
NAME = r"[a-z0-9][a-z0-9._-]{0,99}"
Text = Annotated[str, StringConstraints(max_length=500)]


class CatalogueUnreadable(Exception):
    """A catalogue file has a mistake; the message names the file, the field and the fix."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9 ._/+-]{0,199}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    size: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        path = PurePosixPath(self.path)
        if str(path) != self.path or ".." in path.parts:
            raise ValueError("path must be plain and stay inside the model's folder")
        return self


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
    task: str
    repository: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$", max_length=200)]
    revision: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w./-]*$", max_length=200)] = "main"
    licence: Text
    licence_url: Text = ""
    commercial_use: bool
    gated: bool = False
    format: Format
    backend: Text = ""
    languages: Text = ""
    latency: Text = ""
    accuracy: Text = ""
    files: Annotated[list[_File], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        if self.task not in TASKS:
            raise ValueError(f"task must be one of: {', '.join(TASKS)}")
        if self.name == "pulled.json":
            raise ValueError("a model must not have the name of the record of pulls")
        if len({file.path for file in self.files}) != len(self.files):
            raise ValueError("each file's path must be unique")
        return self

    def entry(self) -> PublishedModel:
        fields = self.model_dump(exclude={"files"})
        return PublishedModel(**fields, files=tuple(ModelFile(**file.model_dump()) for file in self.files))


class _Listing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    model: list[_Model] = []
    sets: dict[Annotated[str, StringConstraints(pattern=f"^{NAME}$")], list[str]] = {}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known models, and named sets of them."""

    models: tuple[ModelEntry, ...]
    sets: dict[str, tuple[PublishedModel, ...]]

    def find(self, name: str) -> ModelEntry | None:
        """Return the model with that name or key; None where there is none."""
        return next((model for model in self.models if model.key == catalogue_key(name)), None)

    def names_for(self, task: str) -> str:
        """Return the keys of all models for a task, for messages."""
        return ", ".join(model.key for model in self.models if model.task == task) or "none"

    @property
    def published(self) -> tuple[PublishedModel, ...]:
        """The published models among all."""
        return tuple(model for model in self.models if isinstance(model, PublishedModel))


def read_listing(path: Path) -> tuple[list[PublishedModel], dict[str, list[str]]]:
    """Read the models and sets of one catalogue file. Raises CatalogueUnreadable."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CATALOGUE_BYTES + 1)
        if len(raw) > MAX_CATALOGUE_BYTES:
            raise CatalogueUnreadable(
                f"{path} is larger than {MAX_CATALOGUE_BYTES} bytes; a catalogue is a small TOML file"
            )
        parsed: dict[str, Any] = tomllib.loads(raw.decode())
        listing = _Listing.model_validate(parsed)
    except OSError as error:
        raise CatalogueUnreadable(f"cannot read the catalogue {path}: {error.strerror}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
        raise CatalogueUnreadable(f"{path}: {problems}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueUnreadable(f"{path} is not valid TOML: {error}") from error
    return [model.entry() for model in listing.model], listing.sets


@cache
def _read(paths: tuple[Path, ...]) -> Catalogue:
    models: dict[str, ModelEntry] = {model.key: model for model in EMBEDDED}
    sets: dict[str, tuple[PublishedModel, ...]] = {}
    listings = [(path, *read_listing(path)) for path in paths]
    for _, entries, _ in listings:
        models |= {entry.key: entry for entry in entries}
    for path, _, named in listings:
        for name, members in named.items():
            sets[name] = tuple(
                _member(models.get(catalogue_key(member)), f"{path}: sets.{name}: {member}") for member in members
            )
            if len({entry.task for entry in sets[name]}) != len(members):
                raise CatalogueUnreadable(f"{path}: sets.{name}: give one model per task")
    return Catalogue(tuple(models.values()), sets)


def _member(model: ModelEntry | None, where: str) -> PublishedModel:
    if not isinstance(model, PublishedModel):
        raise CatalogueUnreadable(f"{where} is not a published model of the catalogue")
    return model


def catalogue() -> Catalogue:
    """Return Meetra's catalogue, extended by the file in ``MEETRA_MODELS_CATALOGUE``, which overrides equal names.

    Raises:
        CatalogueUnreadable: a file is missing or has a mistake.
    """
    user_file = os.environ.get("MEETRA_MODELS_CATALOGUE", "")
    return _read((*sorted(PUBLISHED_FOLDER.glob("*.toml")), *([Path(user_file)] if user_file else [])))


def looks_like_path(value: str) -> bool:
    """Return whether a setting's value names a file or folder rather than a model of the catalogue."""
    return "/" in value or value.startswith((".", "~")) or bool(re.search(r"\.(onnx|nemo)(@|$)", value))
