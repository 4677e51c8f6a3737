"""Choice of each task's model by the settings; chosen models are loaded, and probed before the first meeting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inference.catalogue import (
    AUDIO_QUALITY,
    CAMPPLUS,
    DIARIZATION,
    DNSMOS,
    EMOTIONS,
    MINILM,
    SEGMENTATION,
    SENTENCE_VECTORS,
    SENTIMENT,
    SILERO_VAD,
    SPEAKER_VECTORS,
    SPEECH_RECOGNITION,
    VADER,
    VOICE_ACTIVITY,
    VOICE_SEGMENTATION,
    WHISPER_BASE,
    CatalogueEntry,
    CatalogueUnreadable,
    ResolvedModel,
    catalogue,
    resolve,
    resolve_entry,
)
from inference.config import InferenceSettings
from inference.models import (
    FrameDiarizer,
    ModelCorrupt,
    ModelMissing,
    ModelSet,
    ModelUnfit,
    NamedModel,
    StreamingRecogniser,
    VoiceSegmenter,
    WindowRecogniser,
)
from inference.onnx.runtime import CPU
from inference.selection.model_devices import describe_devices
from inference.selection.model_loading import ModelLoader
from inference.selection.model_probes import (
    probe_diarizer,
    probe_emotions,
    probe_encoder,
    probe_quality,
    probe_recogniser,
    probe_segmenter,
    probe_sentiment,
    probe_streaming_recogniser,
    probe_text_encoder,
    probe_vad,
    probe_window_recogniser,
)

log = logging.getLogger(__name__)
DEFAULT_SET, DEFAULT, NONE = "default", "default", "none"
PREFIX = "MEETRA_INFERENCE_"
# Hexadecimal digits of a digest that clients see.
DIGEST_DIGITS = 12
DEFAULTS: dict[str, CatalogueEntry | None] = {
    VOICE_ACTIVITY: SILERO_VAD,
    SPEAKER_VECTORS: CAMPPLUS,
    DIARIZATION: None,
    VOICE_SEGMENTATION: SEGMENTATION,
    SPEECH_RECOGNITION: WHISPER_BASE,
    AUDIO_QUALITY: DNSMOS,
    SENTENCE_VECTORS: MINILM,
    SENTIMENT: VADER,
    EMOTIONS: None,
}
SETTINGS = {
    VOICE_ACTIVITY: "vad",
    SPEAKER_VECTORS: "speaker_encoder",
    DIARIZATION: "diarizer",
    VOICE_SEGMENTATION: "segmenter",
    SPEECH_RECOGNITION: "recogniser",
    AUDIO_QUALITY: "quality",
    SENTENCE_VECTORS: "text_encoder",
    SENTIMENT: "sentiment",
    EMOTIONS: "emotions",
}
"""The setting of each task."""
OPTIONAL_TASKS = (DIARIZATION, VOICE_SEGMENTATION)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The choice for one task."""

    task: str
    model: ResolvedModel | None
    """None: no model, or written examples."""
    setting: str = ""
    """The setting that chose it, ``NAME=value``; empty for a default."""

    @property
    def named(self) -> NamedModel:
        """The model as clients see it."""
        if self.model is None:
            # They are in this repository, under its licence.
            return NamedModel(
                self.task, "written examples on sentence vectors", licence="Apache-2.0", commercial_use=True
            )
        if self.model.entry is not None:
            entry = self.model.entry
            return NamedModel(self.task, entry.name, licence=entry.licence, commercial_use=entry.commercial_use)
        path = self.model.path
        name = path.name if path.is_dir() else f"{path.parent.name}/{path.name}"
        return NamedModel(self.task, name, next(iter(self.model.sha256.values()), "")[:DIGEST_DIGITS])

    @property
    def label(self) -> str:
        """``task: name``, with the digest of a file outside the catalogue."""
        return self.named.label


def load_models(settings: InferenceSettings) -> ModelSet:
    """Find, load and probe the models of all tasks.

    Raises:
        ModelMissing, ModelCorrupt, ModelUnfit: a message that names the setting, the file, what was found and what is
            needed.
    """
    loader = ModelLoader.from_settings(settings)
    with _naming_setting(f"{PREFIX}DEVICE={settings.device}"):
        on_cpu = loader.execution.providers()[0][0] == CPU
    chosen = choose_models(settings)

    def needs_probe(choice: ModelChoice) -> bool:
        # Files of wheels are known byte by byte; only another device can make them fail.
        return not (on_cpu and (choice.model is None or isinstance(choice.model.entry, CatalogueEntry)))

    with _loading(choice := chosen[VOICE_ACTIVITY]) as model:
        vad = loader.vad(model)
        if needs_probe(choice):
            probe_vad(vad)
    with _loading(choice := chosen[SPEAKER_VECTORS]) as model:
        encoder = loader.speaker_encoder(model)
        if needs_probe(choice):
            probe_encoder(encoder)
    diarizer: FrameDiarizer | None = None
    if chosen[DIARIZATION].model is not None:
        with _loading(chosen[DIARIZATION]) as model:
            diarizer = loader.diarizer(model)
            probe_diarizer(diarizer)
    segmenter: VoiceSegmenter | None = None
    if (choice := chosen[VOICE_SEGMENTATION]).model is not None:
        with _loading(choice) as model:
            segmenter = loader.voice_segmenter(model)
            if needs_probe(choice):
                probe_segmenter(segmenter)
    with _loading(choice := chosen[AUDIO_QUALITY]) as model:
        quality = loader.quality(model)
        if needs_probe(choice):
            probe_quality(quality)
    with _loading(choice := chosen[SENTENCE_VECTORS]) as model:
        text_encoder = loader.text_encoder(model)
        if needs_probe(choice):
            probe_text_encoder(text_encoder)
    with _loading(choice := chosen[SENTIMENT]) as model:
        sentiment = loader.sentiment(model, text_encoder)
        if needs_probe(choice):
            probe_sentiment(sentiment, text_encoder.dimension)
    choice = chosen[EMOTIONS]
    with _naming_setting(choice.setting):
        emotions = loader.emotions(choice.model, text_encoder)
        if needs_probe(choice):
            probe_emotions(emotions, text_encoder.dimension)
    with _loading(choice := chosen[SPEECH_RECOGNITION]) as model:
        recogniser = loader.recogniser(model)
        if isinstance(recogniser, StreamingRecogniser):
            probe_streaming_recogniser(recogniser)
        elif not isinstance(recogniser, WindowRecogniser):
            probe_recogniser(recogniser)
        elif needs_probe(choice):
            probe_window_recogniser(recogniser)
    for choice in chosen.values():
        if choice.setting:
            log.info("model %s is used for %s", choice.label.partition(": ")[2], choice.task)
    loaded = {
        VOICE_ACTIVITY: vad,
        SPEAKER_VECTORS: encoder,
        DIARIZATION: diarizer,
        VOICE_SEGMENTATION: segmenter,
        SPEECH_RECOGNITION: recogniser,
        AUDIO_QUALITY: quality,
        SENTENCE_VECTORS: text_encoder,
        SENTIMENT: sentiment,
        EMOTIONS: emotions,
    }
    log.info("%s", describe_devices({task: model for task, model in loaded.items() if model is not None}))
    return ModelSet(
        vad=vad,
        encoder=encoder,
        recogniser=recogniser,
        quality=quality,
        text_encoder=text_encoder,
        sentiment=sentiment,
        emotions=emotions,
        named=tuple(choice.named for choice in chosen.values() if choice.model is not None or choice.task == EMOTIONS),
        diarizer=diarizer,
        segmenter=segmenter,
    )


def choose_models(settings: InferenceSettings) -> dict[str, ModelChoice]:
    """Find and check the models of all tasks; by task. Raises as ``load_models``."""
    with _naming_setting(f"{PREFIX}MODELS={settings.models}"):
        set_models = _set_models(settings.models)
    chosen: dict[str, ModelChoice] = {}
    for task, setting in SETTINGS.items():
        value = str(getattr(settings, setting))
        if task == VOICE_SEGMENTATION and chosen[DIARIZATION].model is not None:
            value = NONE  # a diarizer detects overlap itself
        chosen[task] = _choose(task, value, settings.models, set_models)
    return chosen


def _set_models(name: str) -> dict[str, str]:
    """Return the names of a set's models, by task. Raises ModelMissing for an unknown set."""
    if name == DEFAULT_SET:
        return {}
    sets = catalogue().sets
    if name not in sets:
        raise ModelMissing(f"no such set of models; known sets: {', '.join((DEFAULT_SET, *sets))}")
    return {entry.task: entry.name for entry in sets[name]}


def _choose(task: str, value: str, set_name: str, set_models: dict[str, str]) -> ModelChoice:
    setting = f"{PREFIX}{SETTINGS[task].upper()}={value}"
    if value == NONE:
        if task in OPTIONAL_TASKS:
            return ModelChoice(task, None)
        with _naming_setting(setting):
            raise ModelUnfit(f"{task} is required; only the diarizer and the segmenter can be none")
    if not value and task in set_models:
        value, setting = set_models[task], f"{PREFIX}MODELS={set_name}"
    if value in ("", DEFAULT):
        entry = DEFAULTS[task]
        return ModelChoice(task, resolve_entry(entry) if entry is not None else None)
    with _naming_setting(setting):
        return ModelChoice(task, resolve(value, task), setting)


@contextmanager
def _loading(choice: ModelChoice) -> Iterator[ResolvedModel]:
    assert choice.model is not None
    with _naming_setting(choice.setting):
        yield choice.model


@contextmanager
def _naming_setting(setting: str) -> Iterator[None]:
    """Prefix errors with the setting that chose the model."""
    prefix = f"{setting}: " if setting else ""
    try:
        yield
    except (ModelMissing, ModelCorrupt, ModelUnfit) as error:
        raise type(error)(f"{prefix}{error}") from error
    except CatalogueUnreadable as error:
        raise ModelUnfit(f"{prefix}{error}") from error
    except Exception as error:
        if not setting:
            raise
        raise ModelCorrupt(f"{prefix}it cannot be loaded: {type(error).__name__}: {str(error)[:400]}") from error
