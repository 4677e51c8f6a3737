"""The embedding of each speaker of a session, by which another session can recognise them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.diarization.agglomeration import normalise
from inference.diarization.resegmentation import SpeakerSegment
from inference.diarization.windows import EncoderWindow


@dataclass(frozen=True, slots=True)
class VoiceProfiles:
    """Embeddings by speaker number, from 1."""

    vectors: NDArray[np.float32]
    """Shape (speakers, d), unit length; zeros for a speaker without single-voice speech."""
    seconds: NDArray[np.float32]
    """Speech averaged into each embedding, seconds, shape (speakers,)."""

    @classmethod
    def empty(cls, dimension: int) -> VoiceProfiles:
        """Return profiles of no speakers, for embeddings of ``dimension``."""
        return cls(np.zeros((0, dimension), np.float32), np.zeros(0, np.float32))


def build_profiles(
    segments: Sequence[SpeakerSegment], windows: Sequence[EncoderWindow], vectors: NDArray[np.float32], hop_s: float
) -> VoiceProfiles:
    """Average the embeddings of each speaker's windows.

    Overlapped speech resembles neither voice, so windows with speech beside the floor are left out, as are windows
    outside of all segments.

    Args:
        segments: not empty, by start.
        windows: the encoder's windows.
        vectors: their embeddings, shape (n, d), n > 0.
        hop_s: step between windows in uninterrupted speech, seconds.
    """
    count = max(segment.speaker for segment in segments)
    middles_s = np.array([window.middle_s for window in windows])
    floor = [segment for segment in segments if not segment.overlapping]
    last = np.searchsorted([segment.start_s for segment in floor], middles_s, "right") - 1
    owners = np.array([segment.speaker for segment in floor])[np.maximum(0, last)] - 1
    until_s = np.array([segment.end_s for segment in floor])[np.maximum(0, last)]
    alone = (last >= 0) & (middles_s <= until_s) & ~_is_overlapped(segments, middles_s)
    sums, seconds = np.zeros((count, vectors.shape[1]), np.float32), np.zeros(count, np.float32)
    np.add.at(sums, owners[alone], vectors[alone])
    lengths_s = np.array([min(hop_s, window.end_s - window.start_s) for window in windows], np.float32)
    np.add.at(seconds, owners[alone], lengths_s[alone])
    return VoiceProfiles(normalise(sums), seconds)


def _is_overlapped(segments: Sequence[SpeakerSegment], times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether somebody speaks beside the floor at each time, shape (moments,)."""
    spans = np.array([(segment.start_s, segment.end_s) for segment in segments if segment.overlapping]).reshape(-1, 2)
    until_s = np.concatenate([[-np.inf], np.maximum.accumulate(spans[:, 1])])
    return np.asarray(times_s < until_s[np.searchsorted(spans[:, 0], times_s, "right")])
