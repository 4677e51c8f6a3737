"""Loading a diarizer before anything of NeMo is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.models import FrameDiarizer


def load_sortformer(path: Path, *, latency: str, device: str, dtype: str) -> FrameDiarizer:
    """The streaming Sortformer in the ``.nemo`` file at ``path``.

    Args:
        path: of the checkpoint.
        latency: a name of ``inference.sortformer.latency.LATENCIES``: "0.32s", "0.64s", "1.04s", "10s" or "30.4s".
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        dtype: "float32", or "bfloat16" or "float16", which matrices are then multiplied in.

    Raises:
        ModelMissing: there is no such file, or NeMo is not installed.
        ModelCorrupt: the file is not a NeMo checkpoint, or not a safe one.
        ModelUnfit: it holds something else than a streaming Sortformer for 16 kHz, or a setting is unknown.
    """
    # torch is imported only when it is wanted, and whoever lacks it is told how to get it.
    from inference.nemo.runtime import import_nemo

    import_nemo()
    from inference.nemo.sortformer import SortformerDiarizer

    return SortformerDiarizer.load(path, latency=latency, device=device, dtype=dtype)
