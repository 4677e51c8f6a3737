"""Changes of speaker within speech: Viterbi over frames, against the speakers' centroids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from inference.diarization.speech_segments import SpeechSegment
from inference.diarization.windows import EncoderWindow

FRAME_S = 0.1
# A change of speaker costs as much as a frame whose cosine is this much worse.
CHANGE_PENALTY = 0.3
# While voices are provisional, two of them are often one person: changes between them cost more.
PROVISIONAL_CHANGE_PENALTY = 1.0
# Maximum number of speaker segments within one speech segment.
MAX_SEGMENTS_PER_SPEECH = 1000
# Indices of speech beside the floor begin here, so that changes of the floor do not renumber it.
FIRST_OVERLAP_INDEX = 500


@dataclass(frozen=True, slots=True)
class SpeakerSegment:
    """A span of one speaker; ``speaker`` counts from 1 in order of first speech."""

    start_s: float
    end_s: float
    speaker: int
    speech: int
    """Number of the speech segment it lies in, from 0."""
    index: int
    """Index within that speech segment, from 0."""
    overlapping: bool = False
    """Somebody else has the floor."""

    @property
    def segment_id(self) -> int:
        """Id within the session, a function of the speech segment and the index within it."""
        return self.speech * MAX_SEGMENTS_PER_SPEECH + self.index + 1


def assign_speakers(
    speech: Sequence[SpeechSegment],
    windows: Sequence[EncoderWindow],
    vectors: NDArray[np.float32],
    centroids: NDArray[np.float32],
    change_penalty: float = CHANGE_PENALTY,
) -> list[SpeakerSegment]:
    """Split speech segments at changes of speaker; return speaker segments by time.

    Args:
        speech: the session's speech segments.
        windows: the encoder's windows, in order of their segments.
        vectors: their embeddings, shape (len(windows), d).
        centroids: shape (speakers, d).
        change_penalty: cosine that a change of speaker costs.
    """
    scores = vectors @ centroids.T
    by_segment = {
        segment: [index for index, _ in group]
        for segment, group in groupby(enumerate(windows), key=lambda pair: pair[1].segment)
    }
    numbers: dict[int, int] = {}
    found = []
    for number, segment in enumerate(speech):
        if indices := by_segment.get(number):
            middles = np.array([windows[index].middle_s for index in indices])
            for span in split_by_windows(number, segment, middles, scores[indices], change_penalty):
                speaker = numbers.setdefault(span.speaker, len(numbers) + 1)
                found.append(replace(span, speaker=speaker))
    return found


def split_by_windows(
    number: int,
    segment: SpeechSegment,
    middles_s: NDArray[np.float64],
    scores: NDArray[np.float32],
    change_penalty: float = CHANGE_PENALTY,
) -> list[SpeakerSegment]:
    """Split one speech segment at changes of speaker; ``speaker`` is the column of ``scores``.

    Args:
        number: the speech segment's number.
        segment: the speech segment.
        middles_s: middles of its windows, seconds, shape (n,), n > 0.
        scores: similarity of each window to each speaker, shape (n, speakers).
        change_penalty: cosine that a change of speaker costs.
    """
    times = frame_middles_s(segment)
    by_frame = np.stack([np.interp(times, middles_s, column) for column in scores.T], axis=1)
    return split_by_frames(number, segment, by_frame, change_penalty)


def frame_middles_s(segment: SpeechSegment) -> NDArray[np.float64]:
    """Return the middles of a speech segment's 0.1 s frames, seconds, shape (frames,), at least one."""
    frames = max(1, round((segment.end_s - segment.start_s) / FRAME_S))
    return np.asarray(segment.start_s + (np.arange(frames) + 0.5) * FRAME_S, np.float64)


def split_by_frames(
    number: int, segment: SpeechSegment, scores: NDArray[np.float64], change_penalty: float = CHANGE_PENALTY
) -> list[SpeakerSegment]:
    """Split one speech segment at changes of speaker; ``speaker`` is the column of ``scores``.

    Args:
        number: the speech segment's number.
        segment: the speech segment.
        scores: score of each frame (see ``frame_middles_s``) and speaker, shape (frames, speakers).
        change_penalty: score that a change of speaker costs.
    """
    frames = len(scores)
    found: list[SpeakerSegment] = []
    frame = 0
    for label, run in groupby(best_path(scores, change_penalty)):
        start_s = segment.start_s + frame * FRAME_S
        frame += sum(1 for _ in run)
        end_s = segment.end_s if frame == frames else min(segment.end_s, segment.start_s + frame * FRAME_S)
        if end_s > start_s:
            found.append(SpeakerSegment(start_s, end_s, label, number, len(found)))
    if len(found) > FIRST_OVERLAP_INDEX:
        last = found[FIRST_OVERLAP_INDEX - 1]
        found[FIRST_OVERLAP_INDEX - 1 :] = [replace(last, end_s=found[-1].end_s)]
    return found


def best_path(scores: NDArray[np.float64], change_penalty: float = CHANGE_PENALTY) -> list[int]:
    """Return the labels with the best sum of scores, shape (frames, labels), minus change penalties (Viterbi)."""
    frames, labels = scores.shape
    best_of_frame = scores.argmax(axis=1)
    if (best_of_frame == best_of_frame[0]).all():
        return [int(best_of_frame[0])] * frames  # the best label never changes
    came_from = np.zeros((frames, labels), np.int64)
    total = scores[0].copy()
    for frame in range(1, frames):
        best = int(total.argmax())
        changed = total[best] - change_penalty
        keep = total >= changed
        came_from[frame] = np.where(keep, np.arange(labels), best)
        total = np.maximum(total, changed) + scores[frame]
    path = [int(total.argmax())]
    for frame in range(frames - 1, 0, -1):
        path.append(int(came_from[frame][path[-1]]))
    return path[::-1]
