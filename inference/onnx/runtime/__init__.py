"""Shared by the ONNX backends: sessions of ONNX Runtime, graphs, and the files beside them."""

from inference.onnx.runtime.device_graph import DeviceGraph, OnDevice
from inference.onnx.runtime.execution import (
    CPU,
    CUDA,
    ON_CPU,
    TENSORRT,
    Execution,
    check_provider,
    open_session,
    varies_with_batch,
)
from inference.onnx.runtime.graph_builder import GraphBuilder, Weights
from inference.onnx.runtime.graph_bytes import Tensors, graph_bytes
from inference.onnx.runtime.graph_contract import (
    Tensor,
    check_graph,
    format_tensors,
    graph_fits,
    graph_inputs,
    graph_outputs,
)
from inference.onnx.runtime.sidecar import description_path, read_as, read_json, read_object, read_text
from inference.onnx.runtime.torch_checkpoint import read_tensors

__all__ = [
    "CPU",
    "CUDA",
    "DeviceGraph",
    "Execution",
    "ON_CPU",
    "OnDevice",
    "TENSORRT",
    "check_provider",
    "open_session",
    "varies_with_batch",
    "GraphBuilder",
    "Tensor",
    "Tensors",
    "Weights",
    "description_path",
    "check_graph",
    "graph_fits",
    "graph_bytes",
    "graph_inputs",
    "format_tensors",
    "graph_outputs",
    "read_as",
    "read_json",
    "read_object",
    "read_tensors",
    "read_text",
]
