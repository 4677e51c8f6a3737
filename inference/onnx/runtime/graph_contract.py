"""Checks of a graph's inputs and outputs, before the first call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.models import ModelUnfit


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a graph."""

    name: str
    dtype: str
    """ONNX Runtime's type without ``tensor()``: float, int64, ..."""
    shape: tuple[int | None, ...]
    """None: any length."""

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.dtype} ({sizes})"

    def accepts(self, other: Tensor) -> bool:
        """Return whether a tensor like ``other`` can be passed where this one is expected."""
        return (
            self.name == other.name
            and self.dtype == other.dtype
            and len(self.shape) == len(other.shape)
            and all(None in (a, b) or a == b for a, b in zip(self.shape, other.shape, strict=True))
        )


def graph_inputs(session: Any) -> list[Tensor]:
    """Return the inputs of a session's graph."""
    return [_tensor(node) for node in session.get_inputs()]


def graph_outputs(session: Any) -> list[Tensor]:
    """Return the outputs of a session's graph."""
    return [_tensor(node) for node in session.get_outputs()]


def _tensor(node: Any) -> Tensor:
    dtype = str(node.type).removeprefix("tensor(").removesuffix(")")
    # A length that is named, or unknown, is any length.
    return Tensor(node.name, dtype, tuple(size if isinstance(size, int) else None for size in node.shape or ()))


def format_tensors(tensors: Sequence[Tensor]) -> str:
    """Format tensors for messages."""
    return "; ".join(map(str, tensors)) or "nothing"


def graph_fits(session: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> bool:
    """Return whether the graph takes exactly ``inputs``, and returns at least ``outputs``, in any order."""
    return _tensors_fit(inputs, graph_inputs(session), exactly=True) and _tensors_fit(
        outputs, graph_outputs(session), exactly=False
    )


def check_graph(session: Any, file: Path, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    """Raise ModelUnfit, naming what was found and what is needed, unless ``graph_fits``."""
    if not _tensors_fit(inputs, graph_inputs(session), exactly=True):
        raise ModelUnfit(
            f"{file.name} takes {format_tensors(graph_inputs(session))}; expected: {format_tensors(inputs)}"
        )
    if not _tensors_fit(outputs, graph_outputs(session), exactly=False):
        raise ModelUnfit(
            f"{file.name} gives {format_tensors(graph_outputs(session))}; expected: {format_tensors(outputs)}"
        )


def _tensors_fit(needed: Sequence[Tensor], found: Sequence[Tensor], *, exactly: bool) -> bool:
    by_name = {tensor.name: tensor for tensor in found}
    present = all(tensor.name in by_name and tensor.accepts(by_name[tensor.name]) for tensor in needed)
    return present and (len(needed) == len(found) or not exactly)
