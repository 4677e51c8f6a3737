"""Forward passes of a network in fixed sizes: choosing the size, padding to it, and preparing each at start.

What a prepared pass is, is for the device to say (``cuda_graphs``); everything here also runs on a CPU.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from torch.nn.functional import pad

from inference.nemo.buckets import Bucket, Buckets, aligned

Pass = Callable[[Any, Any], Any]
"""Takes frames, shape (rows, frames, d), and the lengths of rows, shape (rows,); returns shape (rows, frames, k)."""
log = logging.getLogger(__name__)


def padded(frames: Any, lengths: Any, bucket: Bucket) -> tuple[Any, Any]:
    """Return both with zeros up to the size of ``bucket``: silent frames after each row, and rows of length 0."""
    rows, count = frames.shape[:2]
    more_rows, more_frames = bucket.rows - rows, bucket.frames - count
    if not more_rows and not more_frames:
        return frames, lengths
    return pad(frames, (0, 0, 0, more_frames, 0, more_rows)), pad(lengths, (0, more_rows))


class BucketedPasses:
    """A network whose passes have fixed sizes where these were prepared. One call at a time."""

    def __init__(self, forward: Pass, prepared: Mapping[Bucket, Pass] | None = None, buckets: Buckets | None = None):
        """
        Args:
            forward: the network itself, for any size.
            prepared: passes of fixed sizes; those of ``buckets`` that lack here are computed by ``forward``.
            buckets: the fixed sizes; None: every pass has its own, with frames rounded up to a multiple of ALIGNMENT.
        """
        self._forward, self._prepared, self._buckets = forward, dict(prepared or {}), buckets

    @property
    def prepared(self) -> int:
        """Number of sizes that were prepared."""
        return len(self._prepared)

    def __call__(self, frames: Any, lengths: Any) -> Any:
        """Return the network's results for the rows and frames given; what pads them is left out again."""
        rows, count = frames.shape[:2]
        bucket = self._buckets.fitting(rows, count) if self._buckets and self._prepared else None
        run = self._prepared.get(bucket, self._forward) if bucket else self._forward
        return run(*padded(frames, lengths, bucket or Bucket(rows, aligned(count))))[:rows, :count]


def prepare_passes(
    buckets: Buckets,
    prepare: Callable[[Bucket], Pass],
    *,
    model: str,
    compile_layers: Callable[[], None] | None = None,
    undo_compilation: Callable[[], None] = lambda: None,
) -> dict[Bucket, Pass]:
    """Prepare each size, with progress in the log; where that fails, do without, and log why.

    Args:
        buckets: the sizes.
        prepare: prepares one, as fast as the network is now.
        model: its name, for the log.
        compile_layers: makes the network faster, which takes most of the time; None: it stays as it is.
        undo_compilation: makes the network what it was before.

    Returns:
        The prepared passes; none where preparing fails, even without compiled layers.
    """
    for step in (compile_layers, None) if compile_layers else (None,):
        try:
            if step:
                step()
            return _prepare_all(buckets, prepare, model, "compiled" if step else "as they are")
        except Exception as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            if step:
                undo_compilation()
                log.warning("%s: its layers cannot be compiled here and run as they are, slower: %s", model, reason)
            else:
                log.warning("%s: it runs without CUDA graphs, slower with few streams: %s", model, reason)
    return {}


def _prepare_all(buckets: Buckets, prepare: Callable[[Bucket], Pass], model: str, how: str) -> dict[Bucket, Pass]:
    prepared: dict[Bucket, Pass] = {}
    for number, bucket in enumerate(buckets, 1):
        began = time.monotonic()
        prepared[bucket] = prepare(bucket)
        log.info(
            "%s: prepared passes of %d rows and %d frames in %.1f s (%d of %d sizes, layers %s)",
            model,
            bucket.rows,
            bucket.frames,
            time.monotonic() - began,
            number,
            len(buckets),
            how,
        )
    return prepared
