"""Any sentence classifier exported to ONNX, as EmotionClassifier and as SentimentClassifier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import EMOTIONS, ModelUnfit
from inference.onnx.runtime import ON_CPU, Execution, format_tensors, graph_outputs
from inference.onnx.text.text_files import TextFiles, find_text_model
from inference.onnx.text.text_graph import TextGraph
from inference.text import map_emotions, map_polarities, word_count

NOT_SURE = EMOTIONS.index("not_sure")


class LabelProbabilities:
    """Estimates probabilities of a classifier's labels."""

    def __init__(self, files: TextFiles, execution: Execution = ON_CPU) -> None:
        """Load a classifier. Raises ModelMissing, ModelCorrupt, or ModelUnfit: another graph or number of labels."""
        self.labels = files.labels()
        self._graph = TextGraph(files, execution)
        self._output = _scores_output(files, self._graph, len(self.labels))
        self._scores = files.description.scores or (
            "sigmoid" if files.config.get("problem_type") == "multi_label_classification" else "softmax"
        )
        # Whether several labels may hold at once, or exactly one.
        self.multi_label = self._scores == "sigmoid"
        self._name = files.graph.name

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Return probabilities, shape (n, labels), 0..1; unless ``multi_label``, each row sums to 1."""
        if not sentences:
            return np.zeros((0, len(self.labels)), np.float32)
        scores = self._graph(sentences, self._output, lambda found, _: found).astype(np.float64)
        if scores.shape != (len(sentences), len(self.labels)):
            raise ModelUnfit(
                f"{self._name} gives {scores.shape[1:]} scores per sentence, but there are {len(self.labels)} labels"
            )
        if self._scores == "probabilities":
            if scores.min() < 0 or scores.max() > 1:
                raise ModelUnfit(f'{self._name} gives {scores.min():.3g} to {scores.max():.3g}; "scores" says 0 to 1')
            return np.asarray(scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-9), np.float32)
        if self._scores == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-np.clip(scores, -80, 80))), np.float32)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _scores_output(files: TextFiles, graph: TextGraph, labels: int) -> str:
    found = graph_outputs(graph.session)
    usable = [t for t in found if t.dtype in ("float", "float16") and len(t.shape) == 2]
    if len(usable) > 1:
        usable = [t for t in usable if t.name == "logits"]
    if len(usable) != 1:
        raise ModelUnfit(
            f"{files.graph.name} gives {format_tensors(found)}; expected one float output logits (?, {labels})"
        )
    if usable[0].shape[1] not in (None, labels):
        raise ModelUnfit(
            f"{files.graph.name} gives {usable[0].shape[1]} scores per sentence, but there are {labels} labels: "
            "use the labels of this model"
        )
    return usable[0].name


class OnnxEmotions:
    """EmotionClassifier on a classifier whose labels mean emotions."""

    def __init__(self, model: Path, execution: Execution = ON_CPU) -> None:
        """Load a model. ``model``: see ``find_text_model``. Raises ModelMissing, ModelCorrupt, or ModelUnfit."""
        files = find_text_model(model, "emotions")
        self._probabilities = LabelProbabilities(files, execution)
        emotion_indices = np.array(map_emotions(self._probabilities.labels, files.description.labels))
        self._labels_by_emotion = [np.flatnonzero(emotion_indices == emotion) for emotion in range(len(EMOTIONS))]

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Implement EmotionClassifier without the embeddings; a sentence without words is ``not_sure``."""
        answer = np.zeros((len(sentences), len(EMOTIONS)), np.float32)
        answer[:, NOT_SURE] = 1
        indices = [index for index, sentence in enumerate(sentences) if word_count(sentence)]
        found = self._probabilities([sentences[index] for index in indices])
        merged = np.zeros((len(indices), len(EMOTIONS)), np.float32)
        for emotion, labels in enumerate(self._labels_by_emotion):
            if len(labels):
                # Of labels that may hold at once the maximum counts: many weak ones do not add up to a strong one.
                probabilities = found[:, labels]
                merged[:, emotion] = (
                    probabilities.max(axis=1) if self._probabilities.multi_label else probabilities.sum(axis=1)
                )
        answer[indices] = merged / np.maximum(merged.sum(axis=1, keepdims=True), 1e-9)
        return answer


class OnnxSentiment:
    """SentimentClassifier on a classifier whose labels mean positive, negative and so on."""

    def __init__(self, model: Path, execution: Execution = ON_CPU) -> None:
        """Load a model. ``model``: see ``find_text_model``. Raises ModelMissing, ModelCorrupt, or ModelUnfit."""
        files = find_text_model(model, "sentiment")
        self._probabilities = LabelProbabilities(files, execution)
        self._values = np.array(map_polarities(self._probabilities.labels, files.description.labels), np.float32)

    def __call__(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Implement SentimentClassifier without the embeddings: the mean of the labels' polarities."""
        answer = np.zeros(len(sentences), np.float32)
        indices = [index for index, sentence in enumerate(sentences) if word_count(sentence)]
        found = self._probabilities([sentences[index] for index in indices])
        answer[indices] = found @ self._values / np.maximum(found.sum(axis=1), 1e-9)
        return np.clip(answer, -1, 1)
