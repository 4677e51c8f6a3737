"""Running a text model's graph over sentences of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import ModelUnfit
from inference.onnx.runtime import ON_CPU, Execution, format_tensors, graph_inputs, open_session, varies_with_batch
from inference.onnx.text.text_files import TextFiles, padding_id

TOKENS_AT_ONCE = 4096
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_DTYPES = {"int64": np.int64, "int32": np.int32}
Pool = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


class TextGraph:
    """A graph that takes ``input_ids``, ``attention_mask`` and optionally ``token_type_ids``."""

    def __init__(self, files: TextFiles, execution: Execution = ON_CPU) -> None:
        """Load a graph. Raises ModelMissing, ModelCorrupt, or ModelUnfit for other inputs."""
        self.session = open_session(files.graph, execution)
        self._tokenizer = files.load_tokenizer()
        self._padding = padding_id(self._tokenizer, files.config)
        self._tokenizer.no_padding()
        self._unbatched = varies_with_batch(files.graph)
        found = graph_inputs(self.session)
        self._inputs = {tensor.name: _DTYPES.get(tensor.dtype) for tensor in found}
        has_inputs = {"input_ids"} <= self._inputs.keys() <= set(_INPUTS) and None not in self._inputs.values()
        if not has_inputs or any(tensor.shape != (None, None) for tensor in found):
            raise ModelUnfit(
                f"{files.graph.name} takes {format_tensors(found)}; expected input_ids, attention_mask and perhaps "
                "token_type_ids, int64 (?, ?)"
            )

    def __call__(self, sentences: Sequence[str], output: str, pool: Pool) -> NDArray[np.float32]:
        """Return one row for each of n >= 1 sentences: ``pool`` applied to ``output`` and the token mask.

        A row depends on its sentence alone, except for rounding.
        """
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(sentences))]
        rows: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(tokens)
        for batch in batches([len(ids) for ids in tokens], unbatched=self._unbatched):
            for index, row in zip(batch, self._run([tokens[i] for i in batch], output, pool), strict=True):
                rows[index] = row
        return np.stack(rows)

    def _run(self, tokens: list[list[int]], output: str, pool: Pool) -> NDArray[np.float32]:
        shape = (len(tokens), max(1, max(map(len, tokens))))
        values: dict[str, NDArray[Any]] = {
            "input_ids": np.full(shape, self._padding, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
            "token_type_ids": np.zeros(shape, np.int64),
        }
        for row, sentence in enumerate(tokens):
            values["input_ids"][row, : len(sentence)] = sentence
            values["attention_mask"][row, : len(sentence)] = 1
        inputs = {name: values[name].astype(dtype) for name, dtype in self._inputs.items()}
        (found,) = self.session.run([output], inputs)
        return pool(np.asarray(found, np.float32), values["attention_mask"].astype(np.float32))


def batches(lengths: Sequence[int], *, unbatched: bool = False) -> Iterator[list[int]]:
    """Yield indices of sentences to batch, shortest first and of similar length, since padding costs time.

    Args:
        lengths: tokens of each sentence.
        unbatched: batch no sentences.
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    while order:
        count = 1 if unbatched else max(1, TOKENS_AT_ONCE // max(1, lengths[order[0]]))
        batch = [i for i in order[:count] if lengths[i] <= 2 * max(1, lengths[order[0]])]
        yield batch
        order = order[len(batch) :]
