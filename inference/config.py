"""The inference server's settings, from the environment: ``MEETRA_INFERENCE_<NAME>``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from monitoring import checked_listen

ModelRef = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4096)]
"""The model of a task: empty for the set's, ``default``, a name of the catalogue, a path, or ``PATH@sha256:HEX``."""


def engine_cache() -> Path:
    """Return ``meetra/tensorrt`` in the user's cache: engines can be rebuilt and need no backup."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meetra" / "tensorrt"


class InferenceSettings(BaseSettings):
    """Each setting is read from ``MEETRA_INFERENCE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_INFERENCE_", extra="ignore")

    listen: str = Field("127.0.0.1:50061", description="host:port that the gRPC service listens on")
    metrics_listen: Annotated[str, AfterValidator(checked_listen)] = Field(
        "", description="listen address of the metrics, host:port or unix:PATH; empty: nowhere"
    )
    tls_certificate: Path | None = Field(
        None, description="certificate of this server in PEM; with the next two, only clients with a certificate get in"
    )
    tls_key: Path | None = Field(None, description="its key in PEM, without a passphrase")
    tls_client_ca: Path | None = Field(None, description="authority in PEM that signs the clients' certificates")
    max_sessions: int | None = Field(
        None,
        ge=1,
        description="maximum number of open sessions; further ones are refused. By default 128, and 1024 where a GPU"
        " computes the diarizer",
    )
    reserved_share: float = Field(
        0.25,
        ge=0,
        le=0.5,
        description="share of the sessions that only live meetings, and as large a one that only uploads may use",
    )
    organization_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="largest share of the sessions for live meetings, and of those for uploads, that one organization"
        " may hold of what the others leave; 1 where there is one organization",
    )
    max_live_lag_s: float = Field(
        5.0,
        ge=0,
        le=3600,
        description="how late work of live sessions may begin, seconds; while it begins later no further live meetings"
        " are opened. 0: however late",
    )
    memory_reserve_bytes: int = Field(
        256 * 1024**2, ge=0, description="free memory below which no session opens; 0 uses all memory"
    )
    threads: int = Field(1, ge=1, description="threads per ONNX model call")
    recogniser_workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1),
        ge=1,
        description="windows that Whisper recognises concurrently on a CPU, one thread each",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="minimum level of log messages")
    log_format: Literal["text", "json"] = Field(
        "text", description="lines of logs: text for people, or json, an object each, for programs"
    )

    models: ModelRef = Field(
        "default", description="set of models: default, recommended, or a set of your own catalogue"
    )
    vad: ModelRef = Field("", description="model that detects speech")
    speaker_encoder: ModelRef = Field("", description="model that computes speaker embeddings")
    diarizer: ModelRef = Field(
        "", description="model that detects the speakers of each frame; none: embeddings are clustered instead"
    )
    segmenter: ModelRef = Field(
        "", description="model that detects overlapping voices in 10 s windows; none: one speaker at a time"
    )
    recogniser: ModelRef = Field("", description="model that recognises speech")
    quality: ModelRef = Field("", description="model that scores audio quality")
    text_encoder: ModelRef = Field("", description="model that computes sentence embeddings")
    sentiment: ModelRef = Field("", description="model that classifies the sentiment of text")
    emotions: ModelRef = Field("", description="model that classifies the emotions of text")

    device: Literal["auto", "cpu", "cuda", "tensorrt"] = Field("auto", description="device that models run on")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="number format that NeMo and TensorRT compute in"
    )
    latency: Literal["0.32s", "0.64s", "1.04s", "10s", "30.4s"] = Field(
        "1.04s", description="delay of a streaming diarizer; a longer one is more accurate"
    )
    compile: bool = Field(
        True,
        description="on a GPU, compile a NeMo diarizer's layers and record CUDA graphs at start: minutes at first,"
        " less once the compiled code is in the cache",
    )
    batch_window_ms: float | None = Field(
        None,
        ge=0,
        le=1000,
        description="time a model call waits for other sessions' requests, ms; by default 0, and 40 for a diarizer that"
        " a GPU computes",
    )
    languages: Annotated[str, StringConstraints(pattern=r"^\s*([a-z]{2,3}([\s,]+|$))*$", max_length=1000)] = Field(
        "", description="languages that may be spoken, e.g. 'en de'; empty: all that the recogniser supports"
    )
    engine_cache: Path = Field(
        default_factory=engine_cache, description="folder in which TensorRT caches built engines"
    )
