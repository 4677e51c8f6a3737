"""What NVIDIA's driver says of the GPUs, through the library that comes with it; no package is needed."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
_TEXT_BYTES = 96


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU."""

    name: str
    memory_bytes: int
    used_bytes: int
    """By all processes."""
    capability: tuple[int, int]
    """CUDA compute capability: which code it runs."""


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver and its GPUs."""

    version: str
    cuda: tuple[int, int]
    """The newest version of CUDA that it runs, major and minor."""
    cards: tuple[Card, ...]


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Utilisation(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class NvmlFailed(Exception):
    """The library is there but does not answer: the message says which call failed, and with what code."""


def read_driver() -> Driver | None:
    """Return what the driver says; None where there is none. Raises NvmlFailed."""
    with _opened() as library:
        if library is None:
            return None
        cuda, count = ctypes.c_int(), ctypes.c_uint()
        _call(library, "nvmlSystemGetCudaDriverVersion_v2", ctypes.byref(cuda))
        _call(library, "nvmlDeviceGetCount_v2", ctypes.byref(count))
        cards = tuple(_card(library, index) for index in range(count.value))
        version = _text(library, "nvmlSystemGetDriverVersion")
        return Driver(version, (cuda.value // 1000, cuda.value % 1000 // 10), cards)


def read_utilisation(index: int) -> float | None:
    """Return the share of the last moment in which GPU ``index`` ran a kernel, 0..1; None where nobody knows."""
    try:
        with _opened() as library:
            if library is None:
                return None
            found = _Utilisation()
            _call(library, "nvmlDeviceGetUtilizationRates", _device(library, index), ctypes.byref(found))
            return float(found.gpu) / 100
    except NvmlFailed:
        return None


@contextmanager
def _opened() -> Iterator[Any]:
    """Load and initialise the library; None where it is not installed."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        yield None
        return
    _call(library, "nvmlInit_v2")
    try:
        yield library
    finally:
        library.nvmlShutdown()


def _card(library: Any, index: int) -> Card:
    device, memory = _device(library, index), _Memory()
    major, minor = ctypes.c_int(), ctypes.c_int()
    _call(library, "nvmlDeviceGetMemoryInfo", device, ctypes.byref(memory))
    _call(library, "nvmlDeviceGetCudaComputeCapability", device, ctypes.byref(major), ctypes.byref(minor))
    name = _text(library, "nvmlDeviceGetName", device)
    return Card(name, memory.total, memory.used, (major.value, minor.value))


def _device(library: Any, index: int) -> Any:
    device = ctypes.c_void_p()
    _call(library, "nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(device))
    return device


def _text(library: Any, function: str, *arguments: Any) -> str:
    text = ctypes.create_string_buffer(_TEXT_BYTES)
    _call(library, function, *arguments, text, ctypes.c_uint(_TEXT_BYTES))
    return text.value.decode("utf-8", "replace")


def _call(library: Any, function: str, *arguments: Any) -> None:
    try:
        code = getattr(library, function)(*arguments)
    except AttributeError as error:
        raise NvmlFailed(f"{function}: this driver does not have it") from error
    if code:
        raise NvmlFailed(f"{function}: code {code}")
