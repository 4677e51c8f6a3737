"""Serialization of graphs that are built at load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Tensors = Mapping[str, tuple[int, Sequence[str | int]]]
"""Element type (of ``onnx.TensorProto``) and shape by name; a name in a shape means any length."""


def graph_bytes(
    name: str,
    nodes: Sequence[onnx.NodeProto],
    inputs: Tensors,
    outputs: Tensors,
    constants: Mapping[str, NDArray[Any]],
    *,
    opset: int = 18,
) -> bytes:
    """Check and serialize a model.

    Args:
        name: of the graph.
        nodes: in order of execution.
        inputs, outputs: of the graph.
        constants: weights by name.
        opset: version of ONNX's own operators.
    """
    input_infos, output_infos = (
        [helper.make_tensor_value_info(tensor, kind, shape) for tensor, (kind, shape) in tensors.items()]
        for tensors in (inputs, outputs)
    )
    initializers = [numpy_helper.from_array(value, constant) for constant, value in constants.items()]
    graph = helper.make_graph(nodes, name, input_infos, output_infos, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
