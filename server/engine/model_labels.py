"""Labels of models for the product's users: ``task: name``."""

from __future__ import annotations

from collections.abc import Iterable

from meetra.inference.v2 import model_pb2

TASK_NAMES = {
    model_pb2.TASK_VOICE_ACTIVITY: "voice activity",
    model_pb2.TASK_SPEAKER_EMBEDDING: "speaker vectors",
    model_pb2.TASK_DIARIZATION: "diarization",
    model_pb2.TASK_VOICE_SEGMENTATION: "voice segmentation",
    model_pb2.TASK_SPEECH_RECOGNITION: "speech recognition",
    model_pb2.TASK_PROVISIONAL_WORDS: "provisional words",
    model_pb2.TASK_AUDIO_QUALITY: "audio quality",
    model_pb2.TASK_SENTENCE_EMBEDDING: "sentence vectors",
    model_pb2.TASK_SENTIMENT: "sentiment",
    model_pb2.TASK_EMOTIONS: "emotions",
}

# Begins the label of the model whose vectors tell how close the meanings of two sentences are.
SENTENCE_VECTORS = f"{TASK_NAMES[model_pb2.TASK_SENTENCE_EMBEDDING]}: "


def task_name(model: model_pb2.Model) -> str:
    """Return what a model does, in words."""
    return TASK_NAMES.get(model.task, "another task")


def model_label(model: model_pb2.Model) -> str:
    """Return ``task: name``, with the start of the file's SHA-256 if the catalogue does not know the file."""
    return f"{task_name(model)}: {model.name}" + (f" (SHA-256 {model.version})" if model.version else "")


def task_model_label(models: Iterable[model_pb2.Model], task: model_pb2.Task.ValueType) -> str:
    """Return the label of the model for a task; empty if there is none."""
    return next((model_label(model) for model in models if model.task == task), "")
