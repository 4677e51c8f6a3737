"""Finding a text model's files in the layout of Hugging Face's exports: graph, tokenizer, labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit
from inference.onnx.runtime import description_path, read_as, read_json, read_object, read_text

# Paths of a graph inside a model's folder, the most accurate first.
GRAPHS = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
MAX_TOKENIZER_BYTES = 64 * 1024 * 1024
MAX_LABELS = 1000
# Sentences of speech are shorter; the rest of a longer one is cut off.
MAX_TOKENS = 256


class TextDescription(BaseModel):
    """The optional JSON file of a text model: ``model.json`` for ``model.onnx``."""

    model_config = ConfigDict(extra="forbid")

    task: Literal["emotions", "sentiment", "sentence_vectors"] | None = None
    labels: dict[str, str | float] = {}
    """Meaning of labels: an emotion of EMOTIONS, or a polarity."""
    scores: Literal["softmax", "sigmoid", "probabilities"] | None = None
    """How scores become probabilities: ``sigmoid`` where several labels may hold at once, ``probabilities`` where they
    already are. None: by config.json, otherwise softmax."""
    pooling: Literal["mean", "cls"] | None = None
    """How token embeddings are pooled. None: by 1_Pooling/config.json, otherwise mean."""


@dataclass(frozen=True, slots=True)
class TextFiles:
    """The files of a text model."""

    graph: Path
    tokenizer: Path
    description: TextDescription
    config: dict[str, Any] = field(default_factory=dict)
    """Of ``config.json``; empty without one."""

    def find_file(self, name: str) -> Path | None:
        """Return a file in the graph's folder, or in the one above where that is ``onnx/``; None without one."""
        return _find(self.graph, name)

    def labels(self) -> list[str]:
        """Read the labels in the order of the graph's output: labels.txt, labels.json, or config.json's id2label.

        Raises:
            ModelMissing: there are no labels.
            ModelCorrupt: the file holds no list of labels.
        """
        if path := self.find_file("labels.txt"):
            labels = [line.strip() for line in read_text(path).splitlines() if line.strip()]
        elif path := self.find_file("labels.json"):
            labels = _parse_labels(read_json(path), path)
        elif "id2label" in self.config:
            path = self.find_file("config.json") or self.graph
            labels = _parse_labels(self.config["id2label"], path)
        else:
            raise ModelMissing(
                f"no labels beside {self.graph}: put a labels.txt there, one label per line in the order of the "
                "graph's output, or a config.json with id2label"
            )
        if not 2 <= len(labels) <= MAX_LABELS or len(set(labels)) != len(labels):
            raise ModelCorrupt(f"{path} holds {len(labels)} labels; 2 to {MAX_LABELS} different ones are needed")
        return labels

    def load_tokenizer(self) -> Tokenizer:
        """Load the tokenizer, truncating to the model's maximum, without padding. Raises ModelCorrupt."""
        try:
            if self.tokenizer.stat().st_size > MAX_TOKENIZER_BYTES:
                raise ValueError(f"it is larger than {MAX_TOKENIZER_BYTES} bytes")
            tokenizer = Tokenizer.from_file(str(self.tokenizer))
        except Exception as error:
            raise ModelCorrupt(f"{self.tokenizer} is not a tokenizer: {str(error)[:200]}") from error
        tokenizer.enable_truncation(self._max_tokens())
        return tokenizer

    def _max_tokens(self) -> int:
        positions = self.config.get("max_position_embeddings")
        # RoBERTa's first two positions are not for tokens.
        max_positions = positions - 2 if isinstance(positions, int) and positions > 2 else MAX_TOKENS
        return max(1, min(MAX_TOKENS, max_positions))


def padding_id(tokenizer: Tokenizer, config: dict[str, Any]) -> int:
    """Return the padding token's id: RoBERTa counts positions by it, so it must be the model's own."""
    if tokenizer.padding:
        return int(tokenizer.padding["pad_id"])
    for token in ("[PAD]", "<pad>"):
        if (number := tokenizer.token_to_id(token)) is not None:
            return int(number)
    number = config.get("pad_token_id")
    return number if isinstance(number, int) and number >= 0 else 0


def find_text_model(path: Path, task: str) -> TextFiles:
    """Find the files of a model: an ONNX file, or a folder with one.

    Args:
        path: of the file or folder.
        task: ``emotions``, ``sentiment`` or ``sentence_vectors``; a description must not name another.

    Raises:
        ModelMissing: no graph or no tokenizer.
        ModelCorrupt: a file is damaged.
        ModelUnfit: another task.
    """
    graph = path if path.is_file() else _graph_in(path)
    tokenizer = _find(graph, "tokenizer.json")
    if tokenizer is None:
        raise ModelMissing(f"no tokenizer.json beside {graph}; copy it from the model's source")
    description_file = description_path(graph)
    # The description of a model named config.onnx would be Hugging Face's own file.
    is_ours = description_file.is_file() and description_file.name not in ("config.json", "tokenizer.json")
    description = read_as(description_file, TextDescription) if is_ours else TextDescription()
    if description.task not in (None, task):
        raise ModelUnfit(f"{description_file}: task is {description.task!r}; expected {task!r}")
    config = _find(graph, "config.json")
    return TextFiles(graph, tokenizer, description, read_object(config) if config else {})


def _graph_in(folder: Path) -> Path:
    for name in GRAPHS:
        if (folder / name).is_file():
            return folder / name
    found = sorted(file for subfolder in (folder, folder / "onnx") for file in subfolder.glob("*.onnx"))
    if len(found) == 1:
        return found[0]
    raise ModelMissing(
        f"{folder} holds {'several graphs' if found else 'no graph'}: name the .onnx file itself, or call it model.onnx"
    )


def _find(graph: Path, name: str) -> Path | None:
    folders = [graph.parent, graph.parent.parent] if graph.parent.name == "onnx" else [graph.parent]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _parse_labels(content: Any, path: Path) -> list[str]:
    """Return labels from a JSON list, or from an object that numbers them from 0."""
    labels = content
    if isinstance(content, dict):
        labels = [content.get(str(number)) for number in range(len(content))]
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        raise ModelCorrupt(f"{path} holds neither a list of labels nor an object that numbers them from 0")
    return [label.strip() for label in labels]
