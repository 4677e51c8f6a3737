"""Loading a diarizer without importing NeMo first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.models import FrameDiarizer


def load_sortformer(path: Path, *, latency: str, device: str, dtype: str, compiled: bool = False) -> FrameDiarizer:
    """Load a streaming Sortformer.

    Args:
        path: of the ``.nemo`` checkpoint.
        latency: a name of ``inference.sortformer.latency.LATENCIES``: "0.32s", "0.64s", "1.04s", "10s" or "30.4s".
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        dtype: "float32", or "bfloat16" or "float16" for weights and computation; states stay float32.
        compiled: on a GPU, compile layers and record CUDA graphs, which takes minutes at first.

    Raises:
        ModelMissing: the file is missing, or NeMo is not installed.
        ModelCorrupt: the file is not a NeMo checkpoint, or not safe to load.
        ModelUnfit: it is not a streaming Sortformer for 16 kHz, or a setting is unknown.
    """
    # torch is imported only on use, so that an installation without it gets a message with the fix.
    from inference.nemo.runtime import import_nemo

    import_nemo()
    from inference.nemo.sortformer import SortformerDiarizer

    return SortformerDiarizer.load(path, latency=latency, device=device, dtype=dtype, compiled=compiled)
