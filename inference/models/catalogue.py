"""The models that are known: what the rest of the engine imports of the catalogue."""

from __future__ import annotations

from inference.catalogue.embedded import (
    CAMPPLUS,
    DNSMOS,
    EMBEDDED,
    MINILM,
    MINILM_TOKENIZER,
    SEGMENTATION,
    SILERO_VAD,
    VADER,
    WHISPER_BASE,
    locate,
)
from inference.catalogue.entry import (
    AUDIO_QUALITY,
    DIARIZATION,
    EMOTIONS,
    SENTENCE_VECTORS,
    SENTIMENT,
    SPEAKER_VECTORS,
    SPEECH_RECOGNITION,
    VOICE_ACTIVITY,
    VOICE_SEGMENTATION,
    ModelEntry,
    PublishedModel,
    ResolvedModel,
)
from inference.catalogue.entry import EmbeddedModel as CatalogueEntry
from inference.catalogue.listing import CatalogueUnreadable, catalogue
from inference.catalogue.local import resolve, resolve_entry

__all__ = [
    "AUDIO_QUALITY",
    "CAMPPLUS",
    "DIARIZATION",
    "DNSMOS",
    "EMBEDDED",
    "EMOTIONS",
    "MINILM",
    "MINILM_TOKENIZER",
    "SEGMENTATION",
    "SENTENCE_VECTORS",
    "SENTIMENT",
    "SILERO_VAD",
    "SPEAKER_VECTORS",
    "SPEECH_RECOGNITION",
    "VADER",
    "VOICE_ACTIVITY",
    "VOICE_SEGMENTATION",
    "WHISPER_BASE",
    "CatalogueEntry",
    "CatalogueUnreadable",
    "ModelEntry",
    "PublishedModel",
    "ResolvedModel",
    "catalogue",
    "locate",
    "resolve",
    "resolve_entry",
]
