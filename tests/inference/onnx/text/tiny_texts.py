"""Sentences, and what the tiny graphs make of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tests.inference.onnx import onnx_models

SENTENCES = ["we are happy", "no", "the plan is terrible and the second page was bad, we are angry", "yes it was good"]


def states(folder: Path, sentence: str, width: int) -> NDArray[np.float32]:
    """What the tiny graphs make of a sentence's tokens, computed here: (tokens, width)."""
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(sentence).ids
    places = np.arange(1, len(ids) + 1)
    return np.asarray(onnx_models.random(400, width)[ids] + onnx_models.random(300, width, seed=1)[places], np.float32)
