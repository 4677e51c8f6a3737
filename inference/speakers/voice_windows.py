"""The voices of a session, window by window, as its audio comes."""

from __future__ import annotations

from collections.abc import Hashable

from inference.diarization import FrameGrid, HeardVoices
from inference.engine import Engine
from inference.models import SAMPLE_RATE_HZ, Samples, VoiceSegmenter
from inference.stages import AudioBuffer

# A window begins so many seconds after the one before, at a frame of it. Every 1 or 2.5 s is no better
# (docs/accuracy.md).
HOP_S = 5.0


def nothing_heard_by(model: VoiceSegmenter) -> HeardVoices:
    """The voices of a session before its first window."""
    grid = FrameGrid(model.first_frame_samples / SAMPLE_RATE_HZ, model.frame_samples / SAMPLE_RATE_HZ)
    return HeardVoices(grid, round(HOP_S * SAMPLE_RATE_HZ / model.frame_samples))


class VoiceWindows:
    """Windows depend on the audio alone, and are heard before what comes after them: so what is told of a session at a
    moment never depends on how its audio came, nor on how busy the machine is."""

    def __init__(self, engine: Engine, owner: Hashable) -> None:
        model = engine.models.segmenter
        assert model is not None
        assert engine.segmenter is not None
        self._queue, self._owner = engine.segmenter, owner
        self._window = model.window_samples
        self.heard = nothing_heard_by(model)
        self._hop = self.heard.hop_frames * model.frame_samples
        self._given = 0  # windows

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """Hears the windows that end before sample ``heard``; returns the first sample still needed."""
        while self._given * self._hop + self._window <= heard:
            await self._give(audio.span(self._given * self._hop, self._given * self._hop + self._window))
        return self._given * self._hop

    async def finish(self, audio: AudioBuffer) -> None:
        """The last window: it holds the end of the audio, and silence after it."""
        await self.hear(audio, audio.end)
        reached = (self._given - 1) * self._hop + self._window if self._given else 0
        if audio.end > reached:
            await self._give(audio.span(self._given * self._hop, audio.end))

    async def _give(self, samples: Samples) -> None:
        self.heard.hear(await self._queue.submit(self._owner, samples.copy()))
        self._given += 1
