"""Building an ONNX graph, node by node, from the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

Weights = Mapping[str, NDArray[Any]]


class GraphBuilder:
    """Collects nodes and constants; methods take and return names of values."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node of the operator ``kind``; return its output, named automatically where ``output`` is empty."""
        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        self.constants[name] = value
        return name

    def weight(self, name: str) -> str:
        """Add a weight of the checkpoint as float32 and return its name. Raises KeyError where it is missing."""
        return self.constant(name, np.asarray(self.weights[name], np.float32))

    def convolved(self, x: str, name: str, **attributes: Any) -> str:
        """Add a convolution with the weights ``name``; its bias is optional."""
        inputs = [x, self.weight(f"{name}.weight")]
        if f"{name}.bias" in self.weights:
            inputs.append(self.weight(f"{name}.bias"))
        return self.add("Conv", *inputs, **attributes)
