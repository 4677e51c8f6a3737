"""The default models: no GPU, no download; everything lies inside installed packages."""

from __future__ import annotations

from inference.models import ModelSet
from inference.models.catalogue import (
    DNSMOS,
    GE2E,
    MINILM,
    MINILM_TOKENIZER,
    POCKETSPHINX,
    SILERO_VAD,
    VADER,
    locate,
)
from inference.onnx import Dnsmos, Ge2eEncoder, MiniLmEncoder, SileroVad
from inference.sphinx import SphinxTranscriber
from inference.text import BlendedSentiment, ExampleEmotions


def load_default_models(threads: int, transcriber_processes: int) -> ModelSet:
    """Loads and checks the default models. Raises ModelMissing or ModelCorrupt."""
    entries = (SILERO_VAD, GE2E, POCKETSPHINX, DNSMOS, MINILM, VADER)
    vad_file, encoder_file, _, quality_file, text_file, _ = [locate(entry) for entry in entries]
    text_encoder = MiniLmEncoder(text_file, locate(MINILM_TOKENIZER), threads)
    transcriber = SphinxTranscriber(transcriber_processes)
    return ModelSet(
        vad=SileroVad(vad_file, threads),
        encoder=Ge2eEncoder(encoder_file, threads),
        transcriber=transcriber,
        quality=Dnsmos(quality_file, threads),
        text_encoder=text_encoder,
        sentiment=BlendedSentiment(text_encoder),
        emotions=ExampleEmotions(text_encoder),
        names=(*(f"{entry.task}: {entry.name}" for entry in entries), "emotions: written examples on sentence vectors"),
        close=transcriber.close,
    )
