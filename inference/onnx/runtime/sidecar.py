"""Reading the small files beside a model, such as its JSON description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit

# Files of settings or labels are small; a larger one is something else.
MAX_BYTES = 1024 * 1024
Content = TypeVar("Content", bound=BaseModel)


def read_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """Read a small UTF-8 file. Raises ModelMissing, or ModelCorrupt when it is too large or not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise ModelMissing(f"no {path.name} in {path.parent}") from None
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > max_bytes:
        raise ModelCorrupt(f"{path} is larger than {max_bytes} bytes; such files are small")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelCorrupt(f"{path} is not UTF-8: {error}") from error


def read_json(path: Path, max_bytes: int = MAX_BYTES) -> Any:
    """Read a small JSON file. Raises ModelMissing or ModelCorrupt."""
    try:
        return json.loads(read_text(path, max_bytes))
    except (ValueError, RecursionError) as error:
        raise ModelCorrupt(f"{path} is not valid JSON: {str(error)[:200]}") from error


def read_object(path: Path) -> dict[str, Any]:
    """Read the object in a small JSON file. Raises ModelMissing or ModelCorrupt."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise ModelCorrupt(f"{path} does not hold a JSON object")
    return content


def read_as(path: Path, kind: type[Content]) -> Content:
    """Read a JSON file into ``kind``. Raises ModelMissing, ModelCorrupt, or ModelUnfit that names the field."""
    try:
        return kind.model_validate(read_object(path))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
        raise ModelUnfit(f"{path}: {problems}") from error


def description_path(model: Path) -> Path:
    """Return the path of an ONNX file's JSON description: the same name, ending in ``.json``."""
    return model.with_suffix(".json")
