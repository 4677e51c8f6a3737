"""Streaming settings of Sortformers by latency.

Numbers of 80 ms frames. For 4 speakers they are those of the model cards of ``diar_streaming_sortformer_4spk-v2`` and
``-v2.1``, and for 8 speakers those of the card of its successor, Nemotron 3 Diarization, where it has them. Two are our
own: "0.64s" for 4 speakers combines chunk and right context of the successor's 0.64 s with the caches of the 4 speaker
cards, and "10s" for 8 speakers combines the chunk of the 4 speaker cards with the successor's speaker cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.models import ModelUnfit

FRAME_SAMPLES = 1280
"""80 ms at 16 kHz."""
# A spectrum's window exceeds the end of its hop by (25 ms - 10 ms) / 2 minus half a hop, in samples.
LOOK_AHEAD_SAMPLES = 40


@dataclass(frozen=True, slots=True)
class StreamingSettings:
    """Sizes in frames of 80 ms. Latency is chunk and right context together."""

    chunk: int
    """Frames emitted at once."""
    right_context: int
    """Frames processed after the chunk before it is emitted."""
    fifo: int
    """Frames before the chunk that are processed again."""
    update_period: int
    """Frames that move from the fifo to the speaker cache at once."""
    speaker_cache: int
    """Frames cached for all speakers together."""
    left_context: int = 1
    """Frames before the chunk that give context to its first ones."""

    @property
    def latency_samples(self) -> int:
        """Audio from the start of a chunk until it can be emitted."""
        return (self.chunk + self.right_context) * FRAME_SAMPLES + LOOK_AHEAD_SAMPLES

    @property
    def max_frames(self) -> int:
        """Frames of the longest step: full caches, the chunk and its context."""
        return self.speaker_cache + self.fifo + self.left_context + self.chunk + self.right_context


_FOUR_SPEAKERS = {
    "0.32s": StreamingSettings(chunk=3, right_context=1, fifo=188, update_period=144, speaker_cache=188),
    "0.64s": StreamingSettings(chunk=6, right_context=2, fifo=188, update_period=144, speaker_cache=188),
    "1.04s": StreamingSettings(chunk=6, right_context=7, fifo=188, update_period=144, speaker_cache=188),
    "10s": StreamingSettings(chunk=124, right_context=1, fifo=124, update_period=124, speaker_cache=188),
    "30.4s": StreamingSettings(chunk=340, right_context=40, fifo=40, update_period=300, speaker_cache=188),
}
_EIGHT_SPEAKERS = {
    "0.32s": StreamingSettings(chunk=3, right_context=1, fifo=264, update_period=222, speaker_cache=264),
    "0.64s": StreamingSettings(chunk=6, right_context=2, fifo=264, update_period=222, speaker_cache=264),
    "1.04s": StreamingSettings(chunk=9, right_context=4, fifo=264, update_period=222, speaker_cache=264),
    "10s": StreamingSettings(chunk=124, right_context=1, fifo=124, update_period=124, speaker_cache=264),
    "30.4s": StreamingSettings(chunk=340, right_context=40, fifo=40, update_period=300, speaker_cache=264),
}
LATENCIES = tuple(_FOUR_SPEAKERS)


def settings_for(latency: str, speakers: int) -> StreamingSettings:
    """Return the settings of a latency for a model of so many speakers. Raises ModelUnfit for an unknown name."""
    table = _FOUR_SPEAKERS if speakers <= 4 else _EIGHT_SPEAKERS
    if latency not in table:
        raise ModelUnfit(f"latency: {latency!r} is unknown; one of {', '.join(LATENCIES)}")
    return table[latency]
