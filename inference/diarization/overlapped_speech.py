"""Diarization with overlap: voices of segmentation windows are assigned to the session's speakers.

The segmentation network separates up to three voices within ten seconds but cannot identify them; speaker embeddings
identify speakers, but one at a time. A voice goes to the speaker most similar to its single-voice speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from inference.diarization.resegmentation import (
    FIRST_OVERLAP_INDEX,
    MAX_SEGMENTS_PER_SPEECH,
    SpeakerSegment,
    frame_middles_s,
    split_by_frames,
)
from inference.diarization.segmented_windows import VOICES, LocalVoices, SegmentedWindows
from inference.diarization.speech_segments import SpeechSegment
from inference.true_runs import true_runs

# Thresholds of speech and of overlap. From 0.6 to 0.7 the first hardly matters; at 0.5 room noise counts as speech
# (docs/accuracy.md).
MIN_SPEECH, MIN_OVERLAP = 0.65, 0.4
# Shorter pauses are closed and shorter speech is dropped, seconds.
MIN_PAUSE_S, MIN_SPEECH_S = 0.3, 0.1
# A voice that never reaches this probability in a window is ignored.
MIN_ACTIVITY = 0.3
# Single-voice speech that suffices to identify a voice, seconds; with less, its overlapped speech counts too.
MIN_ALONE_S = 0.2
# Weight of a voice's activity relative to its similarity.
ACTIVITY_WEIGHT = 0.15


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarity of windows of speech to the session's speakers, over time."""

    middles_s: NDArray[np.float64]
    """Middles of the speaker encoder's windows, seconds, shape (n,), n > 0, ascending."""
    scores: NDArray[np.float32]
    """Cosine similarities, shape (n, speakers)."""

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """Interpolate similarities at times (seconds, shape (m,)); shape (m, speakers)."""
        columns = [np.interp(times_s, self.middles_s, column) for column in self.scores.T]
        return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SpeakerActivity:
    """Speaker activity in a span of frames."""

    first: int
    """First frame, in the session's numbering."""
    speakers: NDArray[np.float32]
    """Probability that each speaker speaks, shape (frames, speakers)."""
    overlap: NDArray[np.float32]
    """Probability of overlap, shape (frames,)."""


def detected_speech(segmented: SegmentedWindows, until_s: float, first: int = 0) -> list[tuple[float, float]]:
    """Find speech in segmentation windows.

    Args:
        segmented: the session's segmentation windows.
        until_s: end of the audio, seconds.
        first: the frame to begin at, in the session's numbering.

    Returns:
        (start, end) of each span of likely speech, seconds, by time, clipped to ``until_s``.
    """
    speech, _ = segmented.speech_and_overlap(first, max(first, segmented.frames))
    found: list[tuple[float, float]] = []
    for start, end in first + true_runs(speech > MIN_SPEECH):
        start_s, end_s = (
            max(0.0, segmented.grid.frame_start_s(int(start))),
            min(until_s, segmented.grid.frame_start_s(int(end))),
        )
        if found and start_s - found[-1][1] < MIN_PAUSE_S:
            start_s = found.pop()[0]
        found.append((start_s, end_s))
    return [(start_s, end_s) for start_s, end_s in found if end_s - start_s >= MIN_SPEECH_S]


def join_speech(speech: Sequence[SpeechSegment], detected: Sequence[tuple[float, float]]) -> list[SpeechSegment]:
    """Join speech segments with the spans of speech that the segmentation network detects; both by time.

    Given segments keep their index and grow over the spans that touch them, never into one another. Other spans follow
    as segments of their own.
    """
    grown = list(speech)
    separate: list[SpeechSegment] = []
    first = 0
    for start_s, end_s in detected:
        while first < len(speech) and speech[first].end_s < start_s:
            first += 1
        end = first
        while end < len(speech) and speech[end].start_s <= end_s:
            end += 1
        if first == end:
            separate.append(SpeechSegment(start_s, end_s))
            continue
        for index in range(first, end):
            before_s = start_s if index == first else speech[index].start_s
            after_s = end_s if index == end - 1 else speech[index + 1].start_s
            own = grown[index]
            grown[index] = replace(own, start_s=min(own.start_s, before_s), end_s=max(own.end_s, after_s))
    return grown + separate


def speaker_activity(segmented: SegmentedWindows, similarity: Similarity, first: int, end: int) -> SpeakerActivity:
    """Assign the voices of windows to speakers, and average their activity over the windows that hold a frame.

    Args:
        segmented: the session's segmentation windows.
        similarity: of windows of speech to its speakers.
        first, end: the frames to return, in the session's numbering.
    """
    windows = segmented.windows_in(first, end)
    reached = [segmented.frame_span(number) for number in windows]
    span_start = min([first, *(span.start for span in reached)])
    span_end = max([end, *(span.stop for span in reached)])
    sums = np.zeros((span_end - span_start, similarity.scores.shape[1]), np.float32)
    count = np.zeros((span_end - span_start, 1), np.float32)
    for number in windows:
        window = segmented.window(number)
        span = slice(window.first - span_start, window.end - span_start)
        count[span] += 1
        similarities = similarity.at(segmented.grid.middles_s(window.first, window.end))
        for voice, speaker in _match_voices(window, similarities, segmented.grid.step_s):
            sums[span, speaker] += window.activity[:, voice]
    own = slice(first - span_start, end - span_start)
    _, overlap = segmented.speech_and_overlap(first, end)
    return SpeakerActivity(first, np.asarray(sums[own] / np.maximum(count[own], 1), np.float32), overlap)


def _match_voices(window: LocalVoices, similarities: NDArray[np.float32], step_s: float) -> list[tuple[int, int]]:
    """Match a window's active voices with speakers, one to one where possible; (voice, speaker) pairs."""
    voices = [voice for voice in range(VOICES) if window.activity[:, voice].max() >= MIN_ACTIVITY]
    if not voices:
        return []
    scores = np.stack([_score(window, voice, similarities, step_s) for voice in voices])
    weights = np.sqrt(window.activity[:, voices].sum(0))
    rows, columns = linear_sum_assignment(-(scores * weights[:, None]))
    matched = {int(row): int(column) for row, column in zip(rows, columns, strict=True)}
    return [(voice, matched.get(row, int(scores[row].argmax()))) for row, voice in enumerate(voices)]


def _score(window: LocalVoices, voice: int, similarities: NDArray[np.float32], step_s: float) -> NDArray[np.float32]:
    """Return a voice's mean similarity to each speaker, shape (speakers,)."""
    weights = window.alone[:, voice]
    if weights.sum() * step_s < MIN_ALONE_S:
        weights = window.activity[:, voice]
    return np.asarray(weights @ similarities / max(float(weights.sum()), 1e-6), np.float32)


def diarize_with_overlap(
    speech: Sequence[SpeechSegment], segmented: SegmentedWindows, similarity: Similarity
) -> list[SpeakerSegment]:
    """Return speaker segments by time, overlap included, speakers numbered by first speech.

    Args:
        speech: see ``join_speech``.
        segmented: all segmentation windows of the session.
        similarity: of the session's windows to its speakers.
    """
    activity = speaker_activity(segmented, similarity, 0, segmented.frames)
    found: list[SpeakerSegment] = []
    for number, segment in enumerate(speech):
        floor = _floor_segments(number, segment, segmented, activity, similarity)
        found += [*floor, *overlapping_segments(number, segment, floor, segmented, activity)]
    found.sort(key=lambda span: (span.start_s, span.end_s))
    numbers: dict[int, int] = {}
    return [replace(span, speaker=numbers.setdefault(span.speaker, len(numbers) + 1)) for span in found]


def _floor_segments(
    number: int, segment: SpeechSegment, segmented: SegmentedWindows, activity: SpeakerActivity, similarity: Similarity
) -> list[SpeakerSegment]:
    """Split a speech segment at changes of the main speaker, by similarity and activity; ``speaker`` by column."""
    middles_s = frame_middles_s(segment)
    nearest = np.clip([segmented.grid.frame_at(time_s) for time_s in middles_s], 0, len(activity.speakers) - 1)
    scores = similarity.at(middles_s) + np.float32(ACTIVITY_WEIGHT) * activity.speakers[nearest]
    return split_by_frames(number, segment, scores.astype(np.float64))


def overlapping_segments(
    number: int,
    segment: SpeechSegment,
    floor: Sequence[SpeakerSegment],
    segmented: SegmentedWindows,
    activity: SpeakerActivity,
) -> list[SpeakerSegment]:
    """Return who speaks beside the speakers who have the floor, where overlap is likely.

    Args:
        number: number of the speech segment.
        segment: the speech segment.
        floor: its speaker segments, ``speaker`` by column of the activity.
        segmented: the session's windows.
        activity: of frames that cover the segment.
    """
    grid = segmented.grid
    first = max(activity.first, grid.frame_at(segment.start_s))
    end = min(activity.first + len(activity.overlap), grid.frame_at(segment.end_s))
    if end <= first or activity.speakers.shape[1] < 2:
        return []
    others = activity.speakers[first - activity.first : end - activity.first].copy()
    for span in floor:
        others[
            max(0, grid.frame_at(span.start_s) - first) : max(0, grid.frame_at(span.end_s) - first), span.speaker
        ] = -1
    several = activity.overlap[first - activity.first : end - activity.first] > MIN_OVERLAP
    speaker_columns = np.where(several & (others.max(1) > 0), others.argmax(1), -1)
    found: list[SpeakerSegment] = []
    frame = first
    for label, run in groupby(speaker_columns.tolist()):
        start, frame = frame, frame + sum(1 for _ in run)
        if label >= 0 and len(found) < MAX_SEGMENTS_PER_SPEECH - FIRST_OVERLAP_INDEX:
            start_s, end_s = (
                max(segment.start_s, grid.frame_start_s(start)),
                min(segment.end_s, grid.frame_start_s(frame)),
            )
            index = FIRST_OVERLAP_INDEX + len(found)
            found.append(SpeakerSegment(start_s, end_s, label, number, index, overlapping=True))
    return found
