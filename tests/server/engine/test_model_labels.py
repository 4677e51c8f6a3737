"""Labels of models, as the product's users read them."""

from __future__ import annotations

from meetra.inference.v2 import model_pb2

from server.engine.model_labels import model_label, task_model_label

KNOWN = model_pb2.Model(task=model_pb2.TASK_EMOTIONS, name="minilm")
OWN = model_pb2.Model(task=model_pb2.TASK_SPEAKER_EMBEDDING, name="mine.onnx", version="0123456789ab")


def test_a_file_that_the_catalogue_does_not_know_is_known_by_its_digest() -> None:
    assert model_label(KNOWN) == "emotions: minilm"
    assert model_label(OWN) == "speaker vectors: mine.onnx (SHA-256 0123456789ab)"


def test_a_task_of_a_newer_engine_is_another_one() -> None:
    assert model_label(model_pb2.Model(task=99, name="m")) == "another task: m"  # type: ignore[arg-type]


def test_the_model_of_a_task_is_found_or_there_is_none() -> None:
    assert task_model_label([KNOWN, OWN], model_pb2.TASK_SPEAKER_EMBEDDING) == model_label(OWN)
    assert task_model_label([KNOWN], model_pb2.TASK_DIARIZATION) == ""
