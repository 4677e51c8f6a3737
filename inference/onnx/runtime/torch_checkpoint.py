"""Reading a PyTorch checkpoint without PyTorch and without running code from it.

There are two formats. The legacy one is four pickles (magic, version, system, object) and a list of storage keys,
followed by the raw storages; since PyTorch 1.6 it is a zip archive of one pickle and a file for each storage. Only the
names that a plain dictionary of tensors needs are resolved; further ones in pyannote's checkpoints become empty
objects, and any other name is rejected.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from inference.models import ModelCorrupt

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_DTYPES: dict[str, type[np.generic]] = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
}
# Left by pyannote's training beside the tensors: versions, and the task of the model.
_IGNORED_CLASSES = {
    ("torch.torch_version", "TorchVersion"),
    ("pyannote.audio.core.task", "Specifications"),
    ("pyannote.audio.core.task", "Problem"),
    ("pyannote.audio.core.task", "Resolution"),
}


class _IgnoredObject:
    """Replaces an object that is not read, whatever its arguments."""

    def __new__(cls, *_: Any) -> _IgnoredObject:
        return super().__new__(cls)

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


class _Storage:
    """A storage whose bytes follow the pickles."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self.dtype = dtype
        self.values: NDArray[Any] | None = None


class _Tensor:
    """A view into a storage, resolved once the storage is read."""

    def __init__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any
    ) -> None:
        self._storage, self._offset, self._shape, self._stride = storage, offset, shape, stride

    def array(self) -> NDArray[Any]:
        values = self._storage.values
        assert values is not None
        last = self._offset + sum((n - 1) * step for n, step in zip(self._shape, self._stride, strict=True))
        if self._offset < 0 or last >= len(values) or min(self._stride, default=0) < 0:
            raise ModelCorrupt("a tensor of the checkpoint reaches beyond its storage")
        steps = [step * values.itemsize for step in self._stride]
        return np.lib.stride_tricks.as_strided(values[self._offset :], self._shape, steps).copy()


def _parameter(data: _Tensor, *_: Any) -> _Tensor:
    return data


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], storages: dict[str, _Storage]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if (module, name) in _IGNORED_CLASSES:
            return _IgnoredObject
        if module in ("torch", "torch.cuda") and name in _DTYPES:
            return name
        raise ModelCorrupt(f"the checkpoint names {module}.{name}, which no plain checkpoint needs")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_rest = pid
        return self._storages.setdefault(key, _Storage(_DTYPES[kind]))


def read_tensors(path: Path, entry: str | None = None) -> dict[str, NDArray[Any]]:
    """Read the tensors of a checkpoint's dictionary ``entry``, or of its top-level dictionary.

    Raises:
        ModelCorrupt: the file is not a plain checkpoint.
    """
    storages: dict[str, _Storage] = {}
    try:
        with path.open("rb") as file:
            content = _read_archive(file, storages) if zipfile.is_zipfile(file) else _read_legacy(file, storages)
        tensors = content if entry is None else content[entry]
        return {name: tensor.array() for name, tensor in tensors.items()}
    except (
        pickle.UnpicklingError,
        struct.error,
        zipfile.BadZipFile,
        AttributeError,
        KeyError,
        ValueError,
        TypeError,
        EOFError,
        StopIteration,
    ) as error:
        raise ModelCorrupt(f"{path.name} cannot be read as a checkpoint: {error}") from error


def _read_legacy(file: IO[bytes], storages: dict[str, _Storage]) -> Any:
    file.seek(0)
    plain = [_Unpickler(file, {}).load() for _ in range(3)]
    if plain[:2] != [_MAGIC, _VERSION]:
        raise ValueError("it is not a PyTorch archive")
    content = _Unpickler(file, storages).load()
    for key in _Unpickler(file, {}).load():
        (count,) = struct.unpack("<q", file.read(8))
        storage = storages[key]
        storage.values = np.frombuffer(file.read(count * np.dtype(storage.dtype).itemsize), storage.dtype)
    return content


def _read_archive(file: IO[bytes], storages: dict[str, _Storage]) -> Any:
    with zipfile.ZipFile(file) as archive:
        # PyTorch never compresses, so no member can be larger than the file.
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("its archive is compressed, which no checkpoint is")
        pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        with archive.open(pickled) as members:
            content = _Unpickler(members, storages).load()
        for key, storage in storages.items():
            raw = archive.read(f"{pickled.removesuffix('.pkl')}/{key}")
            storage.values = np.frombuffer(raw, storage.dtype)
        return content
