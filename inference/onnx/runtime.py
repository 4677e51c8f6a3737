"""How ONNX Runtime sessions are made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime as ort

from inference.models import ModelCorrupt


def open_session(model: Path | bytes, threads: int) -> Any:
    """A CPU session of ``threads`` threads. Raises ModelCorrupt when it is no usable ONNX model."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between calls take whole cores from the recogniser beside them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        source = model if isinstance(model, bytes) else str(model)
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelCorrupt(f"not a usable ONNX model: {error}") from error
