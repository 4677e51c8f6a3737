"""Sentence classifier trained on written examples: multinomial logistic regression on sentence embeddings.

It is fitted when the engine starts (a tenth of a second), so that another sentence encoder needs nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from inference.models import TextEncoder

# Unit vectors are scaled by this before the ridge applies: only the ratio of the two matters.
SCALE = 10.0
RIDGE = 0.05


class ExampleClassifier:
    """Estimates class probabilities from sentence embeddings; ``classes`` holds the examples of each class."""

    def __init__(self, encoder: TextEncoder, classes: Sequence[Sequence[str]]) -> None:
        vectors = [encoder(list(examples)) for examples in classes]
        labels = np.repeat(np.arange(len(classes)), [len(v) for v in vectors])
        self._weights = _fit(np.concatenate(vectors).astype(np.float64) * SCALE, labels, len(classes))

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return probabilities: (n, d) -> (n, classes), rows sum to 1."""
        return _softmax(_with_bias(vectors.astype(np.float64) * SCALE) @ self._weights)


def _with_bias(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([vectors, np.ones((len(vectors), 1))])


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _fit(vectors: NDArray[np.float64], labels: NDArray[np.intp], classes: int) -> NDArray[np.float64]:
    """Return weights, shape (d + 1, classes), that minimise the class-balanced cross-entropy plus a ridge."""
    inputs = _with_bias(vectors)
    truth = np.eye(classes)[labels]
    balance = (len(labels) / classes / np.bincount(labels, minlength=classes))[labels][:, None] / len(labels)
    shape = (inputs.shape[1], classes)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        probabilities = _softmax(inputs @ weights)
        cost = -np.sum(balance * truth * np.log(probabilities + 1e-12)) + RIDGE * np.sum(weights[:-1] ** 2)
        slope = inputs.T @ (balance * (probabilities - truth))
        slope[:-1] += 2 * RIDGE * weights[:-1]
        return float(cost), slope.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(found.x.reshape(shape))
