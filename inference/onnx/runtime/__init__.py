"""Shared by the ONNX backends: sessions of ONNX Runtime, graphs, and the files beside them."""

from inference.onnx.runtime.execution import (
    CPU,
    CUDA,
    ON_CPU,
    TENSORRT,
    Execution,
    check_started,
    open_session,
    varies_with_batch,
)
from inference.onnx.runtime.graph_builder import GraphBuilder, Weights
from inference.onnx.runtime.graph_bytes import Tensors, graph_bytes
from inference.onnx.runtime.graph_contract import Tensor, check_graph, fits, inputs_of, listed, outputs_of
from inference.onnx.runtime.sidecar import beside, read_as, read_json, read_object, read_text
from inference.onnx.runtime.torch_checkpoint import read_tensors

__all__ = [
    "CPU",
    "CUDA",
    "Execution",
    "ON_CPU",
    "TENSORRT",
    "check_started",
    "open_session",
    "varies_with_batch",
    "GraphBuilder",
    "Tensor",
    "Tensors",
    "Weights",
    "beside",
    "check_graph",
    "fits",
    "graph_bytes",
    "inputs_of",
    "listed",
    "outputs_of",
    "read_as",
    "read_json",
    "read_object",
    "read_tensors",
    "read_text",
]
