"""Any sentence encoder exported to ONNX, in the layout of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import ModelUnfit
from inference.onnx.runtime import ON_CPU, Execution, Tensor, format_tensors, graph_outputs, read_object
from inference.onnx.text.text_files import TextFiles, find_text_model
from inference.onnx.text.text_graph import Pool, TextGraph

POOLED_OUTPUT, TOKEN_OUTPUTS = "sentence_embedding", ("last_hidden_state", "token_embeddings")


class OnnxSentenceEncoder:
    """TextEncoder on ``model.onnx`` and ``tokenizer.json``; only the first 256 tokens of a sentence count."""

    def __init__(self, model: Path, execution: Execution = ON_CPU) -> None:
        """Load a model. ``model``: see ``find_text_model``. Raises ModelMissing, ModelCorrupt, or ModelUnfit."""
        files = find_text_model(model, "sentence_vectors")
        self._graph = TextGraph(files, execution)
        output = _vectors_output(files, self._graph)
        self._output = output.name
        self._pool: Pool = _unpooled if len(output.shape) == 2 else _pooling(files)
        self._name = files.graph.name
        self.dimension = output.shape[-1] or self._graph(["a"], self._output, self._pool).shape[1]

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Implement TextEncoder; an empty sentence gives the zero vector."""
        vectors = np.zeros((len(sentences), self.dimension), np.float32)
        nonempty = [index for index, sentence in enumerate(sentences) if sentence.strip()]
        if nonempty:
            found = self._graph([sentences[index] for index in nonempty], self._output, self._pool)
            if found.shape[1:] != (self.dimension,):
                raise ModelUnfit(f"{self._name} gives vectors of shape {found.shape[1:]}; expected {self.dimension}")
            vectors[nonempty] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return vectors


def _vectors_output(files: TextFiles, graph: TextGraph) -> Tensor:
    found = graph_outputs(graph.session)
    by_name = {tensor.name: tensor for tensor in found if tensor.dtype in ("float", "float16")}
    if POOLED_OUTPUT in by_name and len(by_name[POOLED_OUTPUT].shape) == 2:
        return by_name[POOLED_OUTPUT]
    for name in TOKEN_OUTPUTS:
        if name in by_name and len(by_name[name].shape) == 3:
            return by_name[name]
    raise ModelUnfit(
        f"{files.graph.name} gives {format_tensors(found)}; expected float {POOLED_OUTPUT} (?, d) "
        f"or {TOKEN_OUTPUTS[0]} (?, ?, d)"
    )


def _pooling(files: TextFiles) -> Pool:
    mode: str | None = files.description.pooling
    path = files.find_file("1_Pooling/config.json")
    if mode is None and path is not None:
        settings = read_object(path)
        chosen = [name for name, value in settings.items() if name.startswith("pooling_mode_") and value is True]
        known = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
        if len(chosen) != 1 or chosen[0] not in known:
            raise ModelUnfit(f"{path} asks for {', '.join(chosen) or 'no pooling'}; expected {' or '.join(known)}")
        mode = known[chosen[0]]
    return _first if mode == "cls" else _mean


def _unpooled(vectors: NDArray[np.float32], _: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors


def _first(token_vectors: NDArray[np.float32], _: NDArray[np.float32]) -> NDArray[np.float32]:
    return token_vectors[:, 0]


def _mean(token_vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average over unmasked tokens: (n, t, d) and (n, t) -> (n, d)."""
    summed = (token_vectors * mask[:, :, None]).sum(axis=1)
    return np.asarray(summed / np.maximum(mask.sum(axis=1, keepdims=True), 1e-9), np.float32)
