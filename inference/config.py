"""The inference server's settings, from the environment: ``MEETRA_INFERENCE_<NAME>``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

ModelRef = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4096)]
"""The model of a task: empty for the set's, ``default``, a name of the catalogue, a path, or ``PATH@sha256:HEX``."""


def engine_cache() -> Path:
    """Return ``meetra/tensorrt`` in the user's cache: engines can be rebuilt and need no backup."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meetra" / "tensorrt"


class InferenceSettings(BaseSettings):
    """Each setting is read from ``MEETRA_INFERENCE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_INFERENCE_", extra="ignore")

    listen: str = Field("127.0.0.1:50061", description="address of the gRPC service")
    max_sessions: int = Field(128, ge=1, description="sessions open at once; one more is refused")
    threads: int = Field(1, ge=1, description="threads of each ONNX model call")
    recogniser_workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1),
        ge=1,
        description="windows that Whisper recognises at once on a CPU, a thread each",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    models: ModelRef = Field(
        "default", description="set of models: default, recommended, or one of the user's catalogue"
    )
    vad: ModelRef = Field("", description="voice activity")
    speaker_encoder: ModelRef = Field("", description="speaker vectors")
    diarizer: ModelRef = Field("", description="who speaks in every frame; none: vectors are clustered")
    segmenter: ModelRef = Field(
        "", description="who speaks within ten seconds, and who at once; none: one speaker at a time"
    )
    recogniser: ModelRef = Field("", description="speech recognition")
    quality: ModelRef = Field("", description="audio quality")
    text_encoder: ModelRef = Field("", description="sentence vectors")
    sentiment: ModelRef = Field("", description="sentiment of words")
    emotions: ModelRef = Field("", description="emotions of words")

    device: Literal["auto", "cpu", "cuda", "tensorrt"] = Field("auto", description="where models run")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="what NeMo and TensorRT compute in")
    latency: Literal["0.32s", "0.64s", "1.04s", "10s", "30.4s"] = Field(
        "1.04s", description="how long a streaming diarizer waits before it tells who speaks"
    )
    batch_window_ms: float = Field(
        0.0, ge=0, le=1000, description="how long a model call waits for other sessions' work; some ms pay on a GPU"
    )
    languages: Annotated[str, StringConstraints(pattern=r"^\s*([a-z]{2,3}([\s,]+|$))*$", max_length=1000)] = Field(
        "", description="languages that may be spoken, e.g. 'en de'; empty: all that the recogniser knows"
    )
    engine_cache: Path = Field(default_factory=engine_cache, description="where TensorRT keeps built engines")
