"""Where within the speech the speaker changes: Viterbi over frames against the speakers' centroids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from inference.diarization.speech_segments import SpeechSegment
from inference.diarization.windows import Window

FRAME_S = 0.1
# A change of speaker costs as much as a frame whose cosine is this much worse.
CHANGE_PENALTY = 1.0


@dataclass(frozen=True, slots=True)
class SpeakerSegment:
    """A stretch of one speaker; ``speaker`` counts from 1 in the order of first speech."""

    start_s: float
    end_s: float
    speaker: int


def assign_speakers(
    speech: Sequence[SpeechSegment],
    windows: Sequence[Window],
    vectors: NDArray[np.float32],
    centroids: NDArray[np.float32],
) -> list[SpeakerSegment]:
    """Speaker segments in the order of time, each within one segment of ``speech``.

    Args:
        windows: with ``vectors`` of shape (len(windows), d), in the order of their segments.
        centroids: shape (speakers, d).
    """
    scores = vectors @ centroids.T
    by_segment = {
        segment: [index for index, _ in group]
        for segment, group in groupby(enumerate(windows), key=lambda pair: pair[1].segment)
    }
    numbers: dict[int, int] = {}
    found = []
    for number, segment in enumerate(speech):
        indices = by_segment.get(number)
        if not indices:
            continue
        frames = max(1, round((segment.end_s - segment.start_s) / FRAME_S))
        times = segment.start_s + (np.arange(frames) + 0.5) * FRAME_S
        middles = np.array([windows[index].middle_s for index in indices])
        by_frame = np.stack([np.interp(times, middles, column) for column in scores[indices].T], axis=1)
        frame = 0
        for label, run in groupby(best_path(by_frame)):
            start, frame = frame, frame + sum(1 for _ in run)
            end_s = segment.end_s if frame == frames else min(segment.end_s, segment.start_s + frame * FRAME_S)
            speaker = numbers.setdefault(label, len(numbers) + 1)
            found.append(SpeakerSegment(segment.start_s + start * FRAME_S, end_s, speaker))
    return [piece for piece in found if piece.end_s > piece.start_s]


def best_path(scores: NDArray[np.float64]) -> list[int]:
    """The labels of frames (shape (frames, labels)) with the best sum of scores less changes (Viterbi)."""
    frames, labels = scores.shape
    came_from = np.zeros((frames, labels), np.int64)
    total = scores[0].copy()
    for frame in range(1, frames):
        best = int(total.argmax())
        changed = total[best] - CHANGE_PENALTY
        stays = total >= changed
        came_from[frame] = np.where(stays, np.arange(labels), best)
        total = np.maximum(total, changed) + scores[frame]
    path = [int(total.argmax())]
    for frame in range(frames - 1, 0, -1):
        path.append(int(came_from[frame][path[-1]]))
    return path[::-1]
