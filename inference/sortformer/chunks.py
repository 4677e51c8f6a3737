"""The audio of a streaming Sortformer's next chunk, with context on both sides.

Positions are in features of 10 ms; a frame of the model is 8 of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inference.models import Samples, StreamInput
from inference.sortformer.latency import FRAME_SAMPLES, LOOK_AHEAD_SAMPLES, StreamingSettings

HOP_SAMPLES, FFT, WINDOW_SAMPLES = 160, 512, 400
FEATURES_PER_FRAME = FRAME_SAMPLES // HOP_SAMPLES
# Features whose window, or the sample before it for pre-emphasis, reaches over the left end of the audio.
GUARD_FEATURES = -(-(FFT // 2 + 1) // HOP_SAMPLES)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames of one session that can be emitted now, and the audio for them."""

    samples: Samples
    """From ``guard`` features before the first."""
    guard: int
    """Features to drop on the left."""
    features: int
    """Features after these: left context, chunk and right context."""
    left: int
    """Frames of left context."""
    frames: int
    """Frames to emit."""

    @property
    def embedded(self) -> int:
        """Number of frames that the features become."""
        return -(-self.features // FEATURES_PER_FRAME)


def check_lengths(work: Sequence[StreamInput], needed_samples: Callable[[Any], int]) -> None:
    """Check that audio completes a session's chunk. Raises ValueError: it is longer, or shorter and not the last."""
    for item in work:
        count, needed = len(item.samples), needed_samples(item.state)
        if count > needed or (count < needed and not item.last):
            raise ValueError(f"{count} samples; expected the {needed} that complete a chunk, fewer only with last")


@dataclass(frozen=True, slots=True)
class SessionAudio:
    """Audio that later chunks of a session still need. Immutable: each step creates a new one."""

    samples: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    first_sample: int = 0
    """Start of ``samples``, from the session's start."""
    received: int = 0
    """Samples received so far."""
    emitted: int = 0
    """Frames emitted so far."""

    def with_samples(self, samples: Samples) -> SessionAudio:
        """Return a copy with more audio, shape (n,)."""
        if not len(samples):
            return self
        return replace(self, samples=np.concatenate([self.samples, samples]), received=self.received + len(samples))

    def needed_samples(self, settings: StreamingSettings) -> int:
        """Return how much more audio completes the next chunk and its context; 0 or less where it is complete."""
        return self.emitted * FRAME_SAMPLES + settings.latency_samples - self.received

    def next_chunk(self, settings: StreamingSettings, *, last: bool) -> Chunk | None:
        """Return the next chunk; None while its audio is incomplete, or where everything is emitted.

        Args:
            settings: sizes of chunk and context.
            last: no more audio follows; the chunk and its right context may be shorter.
        """
        start = self.emitted * FEATURES_PER_FRAME
        end = start + settings.chunk * FEATURES_PER_FRAME
        through = end + settings.right_context * FEATURES_PER_FRAME
        if last:
            total = self.received // HOP_SAMPLES
            end, through = min(end, total), min(through, total)
            if end <= start:
                return None
        elif self.needed_samples(settings) > 0:
            return None
        reach = through * HOP_SAMPLES + LOOK_AHEAD_SAMPLES
        left, guard = self._context(settings)
        first = self._first_needed(settings)
        return Chunk(
            samples=self.samples[first - self.first_sample : reach - self.first_sample],
            guard=guard,
            features=through - start + left * FEATURES_PER_FRAME,
            left=left,
            frames=-(-(end - start) // FEATURES_PER_FRAME),
        )

    def unemitted_frames(self) -> int:
        """Return the frames that no chunk emits at the end: less than 10 ms of audio has no spectrum."""
        return max(0, -(-self.received // FRAME_SAMPLES) - self.emitted)

    def with_emitted(self, frames: int) -> SessionAudio:
        """Return a copy with ``frames`` more emitted."""
        return replace(self, emitted=self.emitted + frames)

    def trimmed(self, settings: StreamingSettings) -> SessionAudio:
        """Return a copy without the audio that no later chunk needs."""
        first = self._first_needed(settings)
        if first <= self.first_sample:
            return self
        return replace(self, samples=self.samples[first - self.first_sample :].copy(), first_sample=first)

    def _context(self, settings: StreamingSettings) -> tuple[int, int]:
        """Return the next chunk's frames of left context, and the features before them to drop."""
        left = min(settings.left_context, self.emitted)
        return left, min(GUARD_FEATURES, (self.emitted - left) * FEATURES_PER_FRAME)

    def _first_needed(self, settings: StreamingSettings) -> int:
        left, guard = self._context(settings)
        return ((self.emitted - left) * FEATURES_PER_FRAME - guard) * HOP_SAMPLES
