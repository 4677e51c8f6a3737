"""Voice segmentation of a session, window by window, as audio arrives."""

from __future__ import annotations

from collections.abc import Hashable

from inference.diarization import FrameGrid, SegmentedWindows
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, Samples, VoiceSegmenter
from inference.stages import AudioBuffer

# Distance between starts of windows, rounded to whole frames. 1 or 2.5 s is no better (docs/accuracy.md).
HOP_S = 5.0


def empty_segmented_windows(model: VoiceSegmenter) -> SegmentedWindows:
    """Return an empty set of windows for a segmentation model."""
    grid = FrameGrid(model.first_frame_samples / SAMPLE_RATE_HZ, model.frame_samples / SAMPLE_RATE_HZ)
    return SegmentedWindows(grid, round(HOP_S * SAMPLE_RATE_HZ / model.frame_samples))


class VoiceWindows:
    """Runs the segmentation model over the session's windows.

    Windows depend on the audio alone and finish before later audio is processed: results depend neither on how audio
    arrives nor on the machine's load.
    """

    def __init__(self, engine: ModelEngine, owner: Hashable) -> None:
        model = engine.models.segmenter
        assert model is not None
        assert engine.segmenter is not None
        self._queue, self._owner = engine.segmenter, owner
        self._window, self._frame = model.window_samples, model.frame_samples
        self.segmented = empty_segmented_windows(model)
        self._hop = self.segmented.hop_frames * model.frame_samples
        self._submitted = 0  # windows submitted

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Process the windows that end by sample ``processed``; return the first sample still needed."""
        while self._submitted * self._hop + self._window <= processed:
            await self._submit(audio.span(self._submitted * self._hop, self._submitted * self._hop + self._window))
        return self._submitted * self._hop

    async def preview(self, audio: AudioBuffer) -> None:
        """Process what has come of the next window, as if silence followed; no later window depends on it."""
        start = self._submitted * self._hop
        samples = audio.span(start, start + self._window).copy()
        if start + len(samples) > (start - self._hop + self._window if self._submitted else 0):
            classes = await self._queue.submit(self._owner, samples)
            self.segmented.preview(classes[: -(-len(samples) // self._frame)])

    async def finish(self, audio: AudioBuffer) -> None:
        """Process the last window, which holds the end of the audio and silence after it."""
        self.segmented.drop_preview()
        await self.advance(audio, audio.end)
        reached = (self._submitted - 1) * self._hop + self._window if self._submitted else 0
        if audio.end > reached:
            await self._submit(audio.span(self._submitted * self._hop, audio.end))

    async def _submit(self, samples: Samples) -> None:
        self.segmented.append(await self._queue.submit(self._owner, samples.copy()))
        self._submitted += 1
