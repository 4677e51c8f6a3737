"""The inference server's settings, from the environment: ``MEETRA_INFERENCE_<NAME>``."""

from __future__ import annotations

import os

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class InferenceSettings(BaseSettings):
    """Each is read from ``MEETRA_INFERENCE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="MEETRA_INFERENCE_", extra="ignore")

    listen: str = Field("127.0.0.1:50061", description="address of the gRPC service")
    max_sessions: int = Field(128, ge=1, description="sessions open at once; one more is refused")
    threads: int = Field(1, ge=1, description="threads of each ONNX model call")
    transcriber_processes: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, description="recogniser processes"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
