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

from inference.diarization.local_voices import VOICES, HeardVoices, LocalVoices
from inference.diarization.resegmentation import (
    PIECES_BESIDE_FROM,
    PIECES_PER_SPEECH,
    SpeakerSegment,
    frame_middles_s,
    pieces_of_frames,
)
from inference.diarization.speech_segments import SpeechSegment

# Thresholds of speech and of overlap. From 0.6 to 0.7 the first hardly matters; at 0.5 room noise counts as speech
# (docs/accuracy.md).
SPEECH, OVERLAP = 0.65, 0.4
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

    def at(self, moments_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """Interpolate similarities at times (seconds, shape (m,)); shape (m, speakers)."""
        columns = [np.interp(moments_s, self.middles_s, column) for column in self.scores.T]
        return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Activity:
    """Speaker activity in a span of frames."""

    first: int
    """First frame, in the session's numbering."""
    speakers: NDArray[np.float32]
    """Probability that each speaker speaks, shape (frames, speakers)."""
    overlap: NDArray[np.float32]
    """Probability of overlap, shape (frames,)."""


def heard_speech(heard: HeardVoices, until_s: float) -> list[tuple[float, float]]:
    """Find speech in segmentation windows.

    Args:
        heard: all segmentation windows of the session.
        until_s: end of the audio, seconds.

    Returns:
        (start, end) of each span of likely speech, seconds, by time, clipped to ``until_s``.
    """
    speech, _ = heard.speech_and_overlap(0, heard.frames)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speech > SPEECH, [False]]).astype(np.int8)))
    found: list[tuple[float, float]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        start_s, end_s = max(0.0, heard.grid.begins_s(int(start))), min(until_s, heard.grid.begins_s(int(end)))
        if found and start_s - found[-1][1] < MIN_PAUSE_S:
            start_s = found.pop()[0]
        found.append((start_s, end_s))
    return [(start_s, end_s) for start_s, end_s in found if end_s - start_s >= MIN_SPEECH_S]


def united(speech: Sequence[SpeechSegment], heard: Sequence[tuple[float, float]]) -> list[SpeechSegment]:
    """Join speech segments with the spans of speech that the segmentation network detects; both by time.

    Given segments keep their index and grow over the spans that touch them, never into one another. Other spans follow
    as segments of their own.
    """
    grown = list(speech)
    apart: list[SpeechSegment] = []
    first = 0
    for start_s, end_s in heard:
        while first < len(speech) and speech[first].end_s < start_s:
            first += 1
        end = first
        while end < len(speech) and speech[end].start_s <= end_s:
            end += 1
        if first == end:
            apart.append(SpeechSegment(start_s, end_s))
            continue
        for place in range(first, end):
            before_s = start_s if place == first else speech[place].start_s
            after_s = end_s if place == end - 1 else speech[place + 1].start_s
            own = grown[place]
            grown[place] = replace(own, start_s=min(own.start_s, before_s), end_s=max(own.end_s, after_s))
    return grown + apart


def activity_of(heard: HeardVoices, similarity: Similarity, first: int, end: int) -> Activity:
    """Assign the voices of windows to speakers, and average their activity over the windows that hold a frame.

    Args:
        heard: the session's segmentation windows.
        similarity: of windows of speech to its speakers.
        first, end: the frames to return, in the session's numbering.
    """
    windows = heard.windows_of(first, end)
    reached = [heard.span_of(number) for number in windows]
    from_ = min([first, *(span.start for span in reached)])
    to = max([end, *(span.stop for span in reached)])
    sums = np.zeros((to - from_, similarity.scores.shape[1]), np.float32)
    count = np.zeros((to - from_, 1), np.float32)
    for number in windows:
        window = heard.window(number)
        span = slice(window.first - from_, window.end - from_)
        count[span] += 1
        like = similarity.at(heard.grid.middles_s(window.first, window.end))
        for voice, speaker in _given(window, like, heard.grid.step_s):
            sums[span, speaker] += window.activity[:, voice]
    own = slice(first - from_, end - from_)
    _, overlap = heard.speech_and_overlap(first, end)
    return Activity(first, np.asarray(sums[own] / np.maximum(count[own], 1), np.float32), overlap)


def _given(window: LocalVoices, like: NDArray[np.float32], step_s: float) -> list[tuple[int, int]]:
    """Match a window's active voices with speakers, one to one where possible; (voice, speaker) pairs."""
    voices = [voice for voice in range(VOICES) if window.activity[:, voice].max() >= MIN_ACTIVITY]
    if not voices:
        return []
    scores = np.stack([_score(window, voice, like, step_s) for voice in voices])
    weights = np.sqrt(window.activity[:, voices].sum(0))
    rows, columns = linear_sum_assignment(-(scores * weights[:, None]))
    given = {int(row): int(column) for row, column in zip(rows, columns, strict=True)}
    return [(voice, given.get(row, int(scores[row].argmax()))) for row, voice in enumerate(voices)]


def _score(window: LocalVoices, voice: int, like: NDArray[np.float32], step_s: float) -> NDArray[np.float32]:
    """Return a voice's mean similarity to each speaker, shape (speakers,)."""
    weights = window.alone[:, voice]
    if weights.sum() * step_s < MIN_ALONE_S:
        weights = window.activity[:, voice]
    return np.asarray(weights @ like / max(float(weights.sum()), 1e-6), np.float32)


def overlapped_segments(
    speech: Sequence[SpeechSegment], heard: HeardVoices, similarity: Similarity
) -> list[SpeakerSegment]:
    """Return speaker segments by time, overlap included, speakers numbered by first speech.

    Args:
        speech: see ``united``.
        heard: all segmentation windows of the session.
        similarity: of the session's windows to its speakers.
    """
    activity = activity_of(heard, similarity, 0, heard.frames)
    found: list[SpeakerSegment] = []
    for number, segment in enumerate(speech):
        floor = _with_the_floor(number, segment, heard, activity, similarity)
        found += [*floor, *beside(number, segment, floor, heard, activity)]
    found.sort(key=lambda piece: (piece.start_s, piece.end_s))
    numbers: dict[int, int] = {}
    return [replace(piece, speaker=numbers.setdefault(piece.speaker, len(numbers) + 1)) for piece in found]


def _with_the_floor(
    number: int, segment: SpeechSegment, heard: HeardVoices, activity: Activity, similarity: Similarity
) -> list[SpeakerSegment]:
    """Split a speech segment at changes of the main speaker, by similarity and activity; ``speaker`` by column."""
    middles_s = frame_middles_s(segment)
    nearest = np.clip([heard.grid.frame_at(moment_s) for moment_s in middles_s], 0, len(activity.speakers) - 1)
    scores = similarity.at(middles_s) + np.float32(ACTIVITY_WEIGHT) * activity.speakers[nearest]
    return pieces_of_frames(number, segment, scores.astype(np.float64))


def beside(
    number: int, segment: SpeechSegment, floor: Sequence[SpeakerSegment], heard: HeardVoices, activity: Activity
) -> list[SpeakerSegment]:
    """Return who speaks beside the speakers who have the floor, where overlap is likely.

    Args:
        number: number of the speech segment.
        segment: the speech segment.
        floor: its speaker segments, ``speaker`` by column of the activity.
        heard: the session's windows.
        activity: of frames that cover the segment.
    """
    grid = heard.grid
    first = max(activity.first, grid.frame_at(segment.start_s))
    end = min(activity.first + len(activity.overlap), grid.frame_at(segment.end_s))
    if end <= first or activity.speakers.shape[1] < 2:
        return []
    others = activity.speakers[first - activity.first : end - activity.first].copy()
    for piece in floor:
        others[
            max(0, grid.frame_at(piece.start_s) - first) : max(0, grid.frame_at(piece.end_s) - first), piece.speaker
        ] = -1
    several = activity.overlap[first - activity.first : end - activity.first] > OVERLAP
    who = np.where(several & (others.max(1) > 0), others.argmax(1), -1)
    found: list[SpeakerSegment] = []
    frame = first
    for label, run in groupby(who.tolist()):
        start, frame = frame, frame + sum(1 for _ in run)
        if label >= 0 and len(found) < PIECES_PER_SPEECH - PIECES_BESIDE_FROM:
            start_s, end_s = max(segment.start_s, grid.begins_s(start)), min(segment.end_s, grid.begins_s(frame))
            place = PIECES_BESIDE_FROM + len(found)
            found.append(SpeakerSegment(start_s, end_s, label, number, place, beside=True))
    return found
