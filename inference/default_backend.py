"""The default models: no GPU, no download; everything lies inside installed packages."""

from __future__ import annotations

from inference.models import ModelSet
from inference.models.catalogue import GE2E, POCKETSPHINX, SILERO_VAD, locate
from inference.onnx import Ge2eEncoder, SileroVad
from inference.sphinx import SphinxTranscriber


def load_default_models(threads: int, transcriber_processes: int) -> ModelSet:
    """Loads and checks the default models. Raises ModelMissing or ModelCorrupt."""
    entries = (SILERO_VAD, GE2E, POCKETSPHINX)
    vad_file, encoder_file, _ = [locate(entry) for entry in entries]
    transcriber = SphinxTranscriber(transcriber_processes)
    return ModelSet(
        vad=SileroVad(vad_file, threads),
        encoder=Ge2eEncoder(encoder_file, threads),
        transcriber=transcriber,
        names=tuple(f"{entry.task}: {entry.name}" for entry in entries),
        close=transcriber.close,
    )
