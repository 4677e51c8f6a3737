"""The models known to Meetra: what other rooms import of the catalogue."""

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
    WEIGHTS,
    EmbeddedFile,
    EmbeddedModel,
    ResolvedModel,
)
from inference.catalogue.entry import EmbeddedModel as CatalogueEntry
from inference.catalogue.listing import CatalogueUnreadable, catalogue
from inference.catalogue.local import resolve, resolve_entry
from inference.catalogue.part_file import PartFile

__all__ = [
    "AUDIO_QUALITY",
    "CAMPPLUS",
    "CatalogueEntry",
    "CatalogueUnreadable",
    "DIARIZATION",
    "DNSMOS",
    "EMBEDDED",
    "EMOTIONS",
    "EmbeddedFile",
    "EmbeddedModel",
    "MINILM",
    "MINILM_TOKENIZER",
    "PartFile",
    "ResolvedModel",
    "SEGMENTATION",
    "SENTENCE_VECTORS",
    "SENTIMENT",
    "SILERO_VAD",
    "SPEAKER_VECTORS",
    "SPEECH_RECOGNITION",
    "VADER",
    "VOICE_ACTIVITY",
    "VOICE_SEGMENTATION",
    "WEIGHTS",
    "WHISPER_BASE",
    "catalogue",
    "locate",
    "resolve",
    "resolve_entry",
]
