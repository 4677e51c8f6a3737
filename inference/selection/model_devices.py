"""Where models run, for the log: each backend decides by itself, and what it decided is asked of what it loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inference.onnx.runtime import CPU

# A model holds sessions, a network, or another model that does.
_DEPTH = 3


def on_gpu(model: object) -> bool:
    """Return whether any part of a model runs on a GPU: a session of ONNX Runtime, a network of torch, CTranslate2."""
    return any(map(_part_on_gpu, parts_of(model)))


def describe_devices(models: Mapping[str, object]) -> str:
    """Return one line that says which models run where; ``models`` by task."""
    gpu = [task for task, model in models.items() if on_gpu(model)]
    if not gpu:
        return "all models run on the CPU"
    cpu = [task for task in models if task not in gpu]
    return f"on the GPU: {', '.join(gpu)}; on the CPU: {', '.join(cpu) or 'none'}"


def parts_of(value: object, depth: int = _DEPTH) -> Iterable[object]:
    """Return a model and what it holds, and what that holds."""
    yield value
    if depth:
        for part in getattr(value, "__dict__", {}).values():
            yield from parts_of(part, depth - 1)


def _part_on_gpu(part: Any) -> bool:
    package = type(part).__module__.partition(".")[0]
    if package == "onnxruntime" and hasattr(part, "get_providers"):
        return bool(part.get_providers()[0] != CPU)
    if package == "ctranslate2" and hasattr(part, "device"):
        return bool(part.device == "cuda")
    if package == "nemo" and hasattr(part, "parameters"):
        return any(parameter.is_cuda for parameter in part.parameters())
    return package == "torch" and bool(getattr(part, "is_cuda", False))
