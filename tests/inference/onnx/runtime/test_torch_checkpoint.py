"""Checkpoints of PyTorch read without PyTorch, and what is refused of them."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from inference.models import ModelCorrupt
from inference.onnx.runtime.torch_checkpoint import read_tensors
from tests.optional_packages import WITHOUT_NEMO


def archive(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED, **storages: bytes) -> Path:
    """As ``torch.save`` writes it."""
    with zipfile.ZipFile(path, "w", compression) as made:
        made.writestr("archive/data.pkl", pickled)
        for key, raw in storages.items():
            made.writestr(f"archive/data/{key.removeprefix('s')}", raw)
    return path


def named(module: str, name: str) -> bytes:
    """The opcodes that push something of a module."""
    return f"c{module}\n{name}\n".encode()


def pushed(value: object) -> bytes:
    """The opcodes that push a value; bytes are opcodes already."""
    match value:
        case bytes():
            return value
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            return b"J" + struct.pack("<i", value)
        case str():
            return b"X" + struct.pack("<I", len(value)) + value.encode()
        case tuple():
            return b"(" + b"".join(map(pushed, value)) + b"t"
        case dict():
            return b"}(" + b"".join(pushed(key) + pushed(item) for key, item in value.items()) + b"u"
    raise TypeError(type(value))


def pickled(content: object) -> bytes:
    return b"\x80\x02" + pushed(content) + b"."


def tensor(key: str, *shape: int, offset: int = 0) -> bytes:
    """As ``torch.save`` names a view into a storage of float32."""
    storage = pushed(("storage", named("torch", "FloatStorage"), key, "cpu", int(np.prod(shape)))) + b"Q"
    strides = tuple(int(np.prod(shape[place + 1 :])) for place in range(len(shape)))
    hooks = named("collections", "OrderedDict") + b")R"
    return named("torch._utils", "_rebuild_tensor_v2") + pushed((storage, offset, shape, strides, False, hooks)) + b"R"


def test_an_archive_of_tensors_is_read_without_torch(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32)
    content = pickled({"inner": {"w": tensor("0", 2, 3), "last": tensor("0", 2, offset=4)}})
    path = archive(tmp_path / "a.pt", content, s0=values.tobytes())
    found = read_tensors(path, "inner")
    assert np.array_equal(found["w"], values.reshape(2, 3))
    assert np.array_equal(found["last"], values[4:])
    with pytest.raises(ModelCorrupt, match=r"a\.pt cannot be read"):
        read_tensors(path)
    with pytest.raises(ModelCorrupt, match=r"a\.pt cannot be read"):
        read_tensors(path, "outer")


@pytest.mark.nemo
def test_what_torch_writes_is_read(tmp_path: Path) -> None:
    pytest.importorskip("nemo", reason=WITHOUT_NEMO)
    import torch

    made = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).state_dict()
    for new in (True, False):
        torch.save(made, tmp_path / "t.pt", _use_new_zipfile_serialization=new)
        found = read_tensors(tmp_path / "t.pt")
        assert set(found) == set(made)
        assert all(np.array_equal(found[name], made[name].numpy()) for name in made)


def test_what_pyannotes_training_left_beside_the_tensors_is_read_as_nothing(tmp_path: Path) -> None:
    version = named("torch.torch_version", "TorchVersion") + pushed(("2.0.1",)) + b"\x81"
    problem = named("pyannote.audio.core.task", "Problem") + pushed((1,)) + b"R"
    # An object with a state.
    task = named("pyannote.audio.core.task", "Specifications") + b")\x81" + pushed({"problem": problem}) + b"b"
    content = pickled({"version": version, "state_dict": {"w": tensor("0", 2)}, "task": task})
    path = archive(tmp_path / "a.bin", content, s0=np.ones(2, np.float32).tobytes())
    assert np.array_equal(read_tensors(path, "state_dict")["w"], [1, 1])


@pytest.mark.parametrize(
    ("content", "raw", "compression"),
    [
        (pickled({"w": named("os", "system") + pushed(("true",)) + b"R"}), b"", zipfile.ZIP_STORED),
        (pickled({"w": named("pyannote.audio.core.task", "Other") + b")R"}), b"", zipfile.ZIP_STORED),
        (pickled({"w": named("torch.torch_version", "TorchVersion") + b")R"}), b"", zipfile.ZIP_STORED),
        (pickled({"w": tensor("0", 2)}), bytes(4), zipfile.ZIP_STORED),
        (pickled({"w": tensor("0", 2)}), bytes(8), zipfile.ZIP_DEFLATED),
        (pickled({"w": tensor("1", 2)}), bytes(8), zipfile.ZIP_STORED),
        (b"no pickle", bytes(8), zipfile.ZIP_STORED),
    ],
    ids=["runs something", "unknown", "no tensor", "short", "compressed", "storage missing", "no pickle"],
)
def test_other_archives_are_refused(tmp_path: Path, content: bytes, raw: bytes, compression: int) -> None:
    with pytest.raises(ModelCorrupt):
        read_tensors(archive(tmp_path / "a.pt", content, compression, s0=raw))


def test_a_legacy_checkpoint_that_names_anything_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pt"
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ModelCorrupt):
        read_tensors(path, "model_state")
