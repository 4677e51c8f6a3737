"""Creation of ONNX Runtime sessions, and the devices they run on."""

from __future__ import annotations

import logging
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime as ort

from inference.models import ModelCorrupt, ModelUnfit

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
# Providers of each device by preference; nodes that one cannot run fall to the next.
_PROVIDERS = {"cpu": (CPU,), "cuda": (CUDA, CPU), "tensorrt": (TENSORRT, CUDA, CPU)}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Execution:
    """Device and number of threads for ONNX models."""

    threads: int = 1
    """Threads of one call on the CPU."""
    device: str = "cpu"
    """``auto``, ``cpu``, ``cuda`` or ``tensorrt``; of several GPUs the first that CUDA_VISIBLE_DEVICES names.

    ``auto`` is CUDA where ONNX Runtime supports it and it starts, otherwise the CPU. It is never TensorRT, which builds
    engines for minutes before the first call and must be requested.
    """
    dtype: str = "float32"
    """Precision that TensorRT may use: ``float16`` or ``bfloat16``; CUDA and the CPU use the file's own."""
    engine_cache: Path | None = None
    """Folder of TensorRT's built engines; None: they are rebuilt at each start."""

    def providers(self) -> list[tuple[str, dict[str, Any]]]:
        """Return ONNX Runtime's providers with their options, the requested one first.

        Raises:
            ModelUnfit: the device is unknown, or this ONNX Runtime was built without it.
        """
        available = ort.get_available_providers()
        device = self.device
        if device == "auto":
            device = "cuda" if CUDA in available else "cpu"
        if device not in _PROVIDERS:
            raise ModelUnfit(f"device {device!r} is unknown; one of auto, {', '.join(_PROVIDERS)}")
        wanted = _PROVIDERS[device]
        if wanted[0] not in available:
            raise ModelUnfit(
                f"device {device!r} needs ONNX Runtime's {wanted[0]}; the installed one has {', '.join(available)}; "
                "replace the package onnxruntime by onnxruntime-gpu"
            )
        return [(name, self.provider_options(name)) for name in wanted if name in available]

    def provider_options(self, provider: str) -> dict[str, Any]:
        """Return the options of a provider."""
        if provider == CUDA:
            # Grow on demand, so that several models share a GPU; do not search for algorithms at every new input
            # length.
            return {
                "device_id": "0",
                "arena_extend_strategy": "kSameAsRequested",
                "cudnn_conv_algo_search": "HEURISTIC",
            }
        if provider == TENSORRT:
            options = {
                "device_id": "0",
                "trt_fp16_enable": str(self.dtype == "float16"),
                "trt_bf16_enable": str(self.dtype == "bfloat16"),
            }
            if self.engine_cache is not None:
                self.engine_cache.mkdir(parents=True, exist_ok=True)
                options |= {
                    "trt_engine_cache_enable": "True",
                    "trt_engine_cache_path": str(self.engine_cache),
                    "trt_timing_cache_enable": "True",
                    "trt_timing_cache_path": str(self.engine_cache),
                }
            return options
        return {}

    def session_options(self) -> Any:
        """Return ``onnxruntime.SessionOptions``."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin between calls take whole cores from the recogniser beside them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return options


ON_CPU = Execution()


def open_session(model: Path | bytes, execution: Execution = ON_CPU) -> Any:
    """Open a session on a model's file, or on a serialized model.

    Raises:
        ModelCorrupt: it is not a usable ONNX model.
        ModelUnfit: the requested device is missing, or does not start.
    """
    providers = execution.providers()
    if providers[0][0] != CPU:
        _load_cuda_libraries()
    source = model if isinstance(model, bytes) else str(model)
    try:
        session = ort.InferenceSession(source, execution.session_options(), providers=providers)
    except Exception as error:
        name = "the model" if isinstance(model, bytes) else model.name
        raise ModelCorrupt(f"{name} is not a usable ONNX model: {_one_line(error)}") from error
    check_provider(providers[0][0], session.get_providers(), execution.device)
    return session


@cache
def _load_cuda_libraries() -> None:
    """Load CUDA and cuDNN from the wheels that bring them: ONNX Runtime looks for them by name alone."""
    preload = getattr(ort, "preload_dlls", None)
    if preload is not None:
        preload()


def check_provider(wanted: str, running: Sequence[str], device: str) -> None:
    """Check that a session runs on the requested provider: ONNX Runtime falls back to the CPU silently.

    Args:
        wanted: the requested provider.
        running: the session's providers.
        device: the user's setting.

    Raises:
        ModelUnfit: a requested device does not start. With ``auto`` a warning is logged instead.
    """
    if wanted in running:
        return
    message = (
        f"ONNX Runtime has {wanted}, but it does not start, and {running[0]} would run instead; "
        "install the versions of GPU driver, CUDA, cuDNN and, for it, TensorRT that onnxruntime-gpu requires"
    )
    if device == "auto":
        log.warning("%s", message)
    else:
        raise ModelUnfit(f"device {device!r}: {message}")


def varies_with_batch(model: Path) -> bool:
    """Return whether results depend on the rest of the batch: dynamic quantisation scales by all inputs."""
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"DynamicQuantizeLinear") >= 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:400]
