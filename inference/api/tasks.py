"""Tasks of models in the internal protocol."""

from __future__ import annotations

from meetra.inference.v2 import model_pb2

from inference import catalogue
from inference.engine import PROVISIONAL_WORDS
from inference.models import ModelSet

TASKS = {
    catalogue.VOICE_ACTIVITY: model_pb2.TASK_VOICE_ACTIVITY,
    catalogue.SPEAKER_VECTORS: model_pb2.TASK_SPEAKER_EMBEDDING,
    catalogue.DIARIZATION: model_pb2.TASK_DIARIZATION,
    catalogue.VOICE_SEGMENTATION: model_pb2.TASK_VOICE_SEGMENTATION,
    catalogue.SPEECH_RECOGNITION: model_pb2.TASK_SPEECH_RECOGNITION,
    PROVISIONAL_WORDS: model_pb2.TASK_PROVISIONAL_WORDS,
    catalogue.AUDIO_QUALITY: model_pb2.TASK_AUDIO_QUALITY,
    catalogue.SENTENCE_VECTORS: model_pb2.TASK_SENTENCE_EMBEDDING,
    catalogue.SENTIMENT: model_pb2.TASK_SENTIMENT,
    catalogue.EMOTIONS: model_pb2.TASK_EMOTIONS,
}


def model_messages(models: ModelSet) -> list[model_pb2.Model]:
    """Return the models as messages for clients."""
    return [
        model_pb2.Model(
            task=TASKS[model.task],
            name=model.name,
            version=model.version,
            licence=model.licence,
            commercial_use=model.commercial_use,
        )
        for model in models.named
    ]
