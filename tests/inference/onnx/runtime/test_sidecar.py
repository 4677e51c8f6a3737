"""The small files beside a model: read whole, or refused with the file and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit
from inference.onnx.runtime.sidecar import MAX_BYTES, description_path, read_as, read_json, read_object, read_text


class Shape(BaseModel):
    """What a description may say."""

    model_config = ConfigDict(extra="forbid")
    bands: int
    name: str = ""


def of(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.json"
    path.write_bytes(content)
    return path


def test_what_is_right_is_read(tmp_path: Path) -> None:
    path = of(tmp_path, '\ufeff{"bands": 80, "name": "Größe"}'.encode())
    assert read_as(path, Shape) == Shape(bands=80, name="Größe")
    assert read_json(of(tmp_path, b"[1, 2]")) == [1, 2]
    assert description_path(tmp_path / "a.b.onnx") == tmp_path / "a.b.json"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"no labels\.json in"):
        read_text(tmp_path / "labels.json")
    with pytest.raises(ModelMissing, match="cannot be read: Is a directory"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"{", "is not valid JSON"),
        (b"", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[]", "does not hold a JSON object"),
        (b'"text"', "does not hold a JSON object"),
        (b" " * (MAX_BYTES + 1), f"larger than {MAX_BYTES} bytes"),
    ],
)
def test_what_is_no_object_is_corrupt(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ModelCorrupt, match=said):
        read_object(of(tmp_path, content))


def test_a_file_may_be_as_large_as_the_limit(tmp_path: Path) -> None:
    assert len(read_text(of(tmp_path, b"x" * 10), max_bytes=10)) == 10
    with pytest.raises(ModelCorrupt, match="larger than 9 bytes"):
        read_text(of(tmp_path, b"x" * 10), max_bytes=9)


def test_a_field_that_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ModelUnfit, match=r"model\.json: bands: Input should be a valid integer.*; bounds: Extra inputs"
    ):
        read_as(of(tmp_path, b'{"bands": "many", "bounds": 1}'), Shape)
