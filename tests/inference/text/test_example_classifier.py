"""Classes learned from written examples, on embeddings whose classes are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.text.example_classifier import ExampleClassifier

DIMENSION = 6


class Axes:
    """A TextEncoder: a sentence ``2 a`` lies near the axis 2, somewhere that its letters decide."""

    dimension = DIMENSION

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        made = []
        for sentence in sentences:
            noise = np.random.default_rng(sum(sentence.encode())).normal(0, 0.1, DIMENSION)
            made.append(np.eye(DIMENSION)[int(sentence.split()[0])] + noise)
        vectors = np.asarray(made).reshape(len(sentences), DIMENSION)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def classes(*sizes: int) -> list[list[str]]:
    return [[f"{axis} {letter}" for letter in "abcdefghijklmnop"[:size]] for axis, size in enumerate(sizes)]


def test_sentences_near_the_examples_of_a_class_are_of_that_class() -> None:
    classifier = ExampleClassifier(Axes(), classes(8, 8, 8))
    found = classifier(Axes()(["0 x", "1 y", "2 z"]))
    assert found.argmax(axis=1).tolist() == [0, 1, 2]
    assert found.sum(axis=1) == pytest.approx([1, 1, 1])
    assert found.max(axis=1).min() > 0.6


def test_a_class_of_many_examples_is_no_likelier_for_that() -> None:
    examples = classes(2, 16)
    classifier = ExampleClassifier(Axes(), examples)
    # Where each class weighs the same, each is the answer as often as the other.
    means = [classifier(Axes()(own)).mean(axis=0) for own in examples]
    assert np.mean(means, axis=0) == pytest.approx([0.5, 0.5], abs=1e-3)


def test_no_sentences_have_no_classes_and_learning_is_the_same_each_time() -> None:
    first, second = (ExampleClassifier(Axes(), classes(4, 4)) for _ in range(2))
    assert first(np.zeros((0, DIMENSION), np.float32)).shape == (0, 2)
    vectors = Axes()(["0 x", "1 y"])
    assert np.array_equal(first(vectors), second(vectors))
