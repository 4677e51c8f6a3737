"""Rendering of the catalogue: lines by task, and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from inference.catalogue.entry import EmbeddedModel, ModelEntry, PublishedModel
from inference.catalogue.local import resolve_entry
from inference.models import ModelCorrupt, ModelMissing


def size_text(size: int | None) -> str:
    """Format bytes as MB or GB (powers of 1000); ``?`` where unknown."""
    if size is None:
        return "?"
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def size_of(model: ModelEntry) -> int | None:
    """Return the total size of a model's files, bytes; None where unknown."""
    return model.size if isinstance(model, (EmbeddedModel, PublishedModel)) else None


def local_state(entry: ModelEntry, folder: Path) -> str:
    """Return ``here``, ``part`` (some files), ``missing`` or ``wrong``; pulled files are not hashed."""
    if isinstance(entry, EmbeddedModel):
        try:
            resolve_entry(entry)
        except ModelMissing:
            return "missing"
        except ModelCorrupt:
            return "wrong"
        return "here"
    assert isinstance(entry, PublishedModel)
    paths = [(folder / entry.name / file.path, file.size) for file in entry.files]
    here = [path.is_file() and size in (None, path.stat().st_size) for path, size in paths]
    return "here" if all(here) else "part" if any(here) else "missing"


def listing(models: Sequence[ModelEntry], folder: Path) -> Group:
    """Render models by task: a line for each, and under it what its publisher states."""
    parts: list[RenderableType] = []
    for task in dict.fromkeys(model.task for model in models):
        parts.append(Text(task, "bold"))
        for model in models:
            if model.task == task:
                parts += _lines(model, folder)
        parts.append(Text())
    return Group(*parts)


def _lines(model: ModelEntry, folder: Path) -> list[RenderableType]:
    state = local_state(model, folder)
    runs = f"runs on {model.backend}" if model.backend else "no backend yet"
    head = f"  {model.key:36} {size_text(size_of(model)):>9}  {state:8} {runs}"
    use = "commercial use" if model.commercial_use else "NO commercial use"
    latency = f"latency {model.latency}" if model.latency else ""
    properties = [part for part in (f"{model.licence}, {use}", model.languages, latency, model.accuracy) if part]
    style = "green" if state == "here" else "red" if state == "wrong" else ""
    return [Text(head, style), Padding(Text("; ".join(properties), "dim"), (0, 0, 0, 6))]


def as_json(models: Sequence[ModelEntry], sets: Mapping[str, Sequence[PublishedModel]], folder: Path) -> str:
    """Render all known properties of the models, and the sets with their members' names, as JSON."""
    listed: list[dict[str, Any]] = []
    for model in models:
        fields = {"key": model.key, "state": local_state(model, folder), **asdict(model), "size": size_of(model)}
        if isinstance(model, PublishedModel):
            fields |= {"path": str(folder / model.name)}
        listed.append(fields)
    names = {name: [member.key for member in members] for name, members in sets.items()}
    return json.dumps({"models": listed, "sets": names, "models_folder": str(folder)}, indent=2)
