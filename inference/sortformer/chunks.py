"""Which audio a streaming Sortformer hears next of a session: chunks with context on both sides.

Positions are in features of 10 ms; a frame of the model is 8 of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from inference.models import Samples, Stretch
from inference.sortformer.latency import FRAME_SAMPLES, LOOK_AHEAD_SAMPLES, StreamingSettings

HOP_SAMPLES, FFT, WINDOW_SAMPLES = 160, 512, 400
FEATURES_A_FRAME = FRAME_SAMPLES // HOP_SAMPLES
# Features whose window, or the sample before it for the pre-emphasis, reaches over the left end of a piece of audio.
GUARD_FEATURES = -(-(FFT // 2 + 1) // HOP_SAMPLES)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames of one session that can be told now, and what is heard for them."""

    samples: Samples
    """From ``guard`` features before the first."""
    guard: int
    """Features to leave out on the left."""
    features: int
    """Features after these: left context, chunk and right context."""
    left: int
    """Frames of left context."""
    frames: int
    """Frames to tell."""

    @property
    def embedded(self) -> int:
        """Frames the features become."""
        return -(-self.features // FEATURES_A_FRAME)


def check_stretches(work: Sequence[Stretch], step_samples: int) -> None:
    """Raises ValueError: a stretch is no step long, or shorter and not the session's last."""
    for stretch in work:
        count = len(stretch.samples)
        if count > step_samples or (count < step_samples and not stretch.last):
            raise ValueError(f"{count} samples; {step_samples} a call, fewer only with last")


@dataclass(frozen=True, slots=True)
class SessionAudio:
    """What chunks to come still need of a session's audio. Never changed: each step makes a new one."""

    samples: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    first_sample: int = 0
    """Where ``samples`` begin, from the session's start."""
    heard: int = 0
    """Samples heard so far."""
    told: int = 0
    """Frames told so far."""

    def hear(self, samples: Samples) -> SessionAudio:
        """With more audio in it."""
        if not len(samples):
            return self
        return replace(self, samples=np.concatenate([self.samples, samples]), heard=self.heard + len(samples))

    def next_chunk(self, settings: StreamingSettings, *, last: bool) -> Chunk | None:
        """The chunk that comes next; None while audio for it is missing, or where all is told.

        Args:
            last: no more audio follows; the chunk and its right context may be shorter.
        """
        start = self.told * FEATURES_A_FRAME
        end = start + settings.chunk * FEATURES_A_FRAME
        through = end + settings.right_context * FEATURES_A_FRAME
        if last:
            total = self.heard // HOP_SAMPLES
            end, through = min(end, total), min(through, total)
            if end <= start:
                return None
        elif self.heard < through * HOP_SAMPLES + LOOK_AHEAD_SAMPLES:
            return None
        reach = through * HOP_SAMPLES + LOOK_AHEAD_SAMPLES
        left, guard = self._context(settings)
        first = self._first_needed(settings)
        return Chunk(
            samples=self.samples[first - self.first_sample : reach - self.first_sample],
            guard=guard,
            features=through - start + left * FEATURES_A_FRAME,
            left=left,
            frames=-(-(end - start) // FEATURES_A_FRAME),
        )

    def untold(self) -> int:
        """Frames that no chunk will tell once everything is told: less than 10 ms at the end has no spectrum."""
        return max(0, -(-self.heard // FRAME_SAMPLES) - self.told)

    def after(self, frames: int) -> SessionAudio:
        """With ``frames`` more told."""
        return replace(self, told=self.told + frames)

    def without_used(self, settings: StreamingSettings) -> SessionAudio:
        """Without the audio that no chunk to come needs."""
        first = self._first_needed(settings)
        if first <= self.first_sample:
            return self
        return replace(self, samples=self.samples[first - self.first_sample :].copy(), first_sample=first)

    def _context(self, settings: StreamingSettings) -> tuple[int, int]:
        """Frames of left context of the next chunk, and features before them to leave out."""
        left = min(settings.left_context, self.told)
        return left, min(GUARD_FEATURES, (self.told - left) * FEATURES_A_FRAME)

    def _first_needed(self, settings: StreamingSettings) -> int:
        left, guard = self._context(settings)
        return ((self.told - left) * FEATURES_A_FRAME - guard) * HOP_SAMPLES
