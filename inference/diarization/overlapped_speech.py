"""Who speaks, and who else at the same time: voices of windows are given to the speakers of the whole session.

The network tells up to three voices apart within ten seconds, but not who they are; vectors of speech tell who it is,
but of one speaker at a time. A voice goes to the speaker whom it sounds most like where it speaks alone.
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

# Somebody speaks, and several at once, from these probabilities on. From 0.6 to 0.7 the first changes next to nothing;
# at 0.5 noise in a room is taken for speech (docs/accuracy.md).
SPEECH, OVERLAP = 0.65, 0.4
# A shorter pause within what is heard is none, and shorter speech is none, seconds.
MIN_PAUSE_S, MIN_SPEECH_S = 0.3, 0.1
# A voice of a window that is never likelier than this is none.
MIN_ACTIVITY = 0.3
# So much speech of a voice alone says who it is; with less, what is heard of it beside others counts too, seconds.
MIN_ALONE_S = 0.2
# What a voice's activity counts for beside how alike it sounds.
ACTIVITY_WEIGHT = 0.15


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike the session's speakers sound to what is heard, over time."""

    middles_s: NDArray[np.float64]
    """Of the windows of the speaker encoder, shape (n,), n > 0, in the order of time."""
    scores: NDArray[np.float32]
    """Cosines, shape (n, speakers)."""

    def at(self, moments_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """Shape (moments, speakers)."""
        columns = [np.interp(moments_s, self.middles_s, column) for column in self.scores.T]
        return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Activity:
    """Who speaks in a stretch of frames."""

    first: int
    """The session's number of the first frame."""
    speakers: NDArray[np.float32]
    """How likely each speaker speaks, shape (frames, speakers)."""
    overlap: NDArray[np.float32]
    """How likely several speak at once, shape (frames,)."""


def heard_speech(heard: HeardVoices, until_s: float) -> list[tuple[float, float]]:
    """Stretches in which somebody is likely to speak, seconds, none of them after ``until_s``."""
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
    """The segments of speech with what else was heard; both in the order of time.

    Those given keep their places and grow over what touches them, never into one another. What touches none is a
    segment of its own, after all others.
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
    """Who speaks in the frames from ``first`` on and before ``end``."""
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
    """(voice of the window, speaker of the session), for every voice that speaks; no two to one where that can be."""
    voices = [voice for voice in range(VOICES) if window.activity[:, voice].max() >= MIN_ACTIVITY]
    if not voices:
        return []
    scores = np.stack([_score(window, voice, like, step_s) for voice in voices])
    weights = np.sqrt(window.activity[:, voices].sum(0))
    rows, columns = linear_sum_assignment(-(scores * weights[:, None]))
    given = {int(row): int(column) for row, column in zip(rows, columns, strict=True)}
    return [(voice, given.get(row, int(scores[row].argmax()))) for row, voice in enumerate(voices)]


def _score(window: LocalVoices, voice: int, like: NDArray[np.float32], step_s: float) -> NDArray[np.float32]:
    """How alike each speaker sounds to a voice, shape (speakers,)."""
    weights = window.alone[:, voice]
    if weights.sum() * step_s < MIN_ALONE_S:
        weights = window.activity[:, voice]
    return np.asarray(weights @ like / max(float(weights.sum()), 1e-6), np.float32)


def overlapped_segments(
    speech: Sequence[SpeechSegment], heard: HeardVoices, similarity: Similarity
) -> list[SpeakerSegment]:
    """Speaker segments in the order of time, their speakers numbered by first speech; ``speech``: see ``united``."""
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
    """One speech segment cut where the speaker changes, by similarity and activity; ``speaker`` by column."""
    middles_s = frame_middles_s(segment)
    nearest = np.clip([heard.grid.frame_at(moment_s) for moment_s in middles_s], 0, len(activity.speakers) - 1)
    scores = similarity.at(middles_s) + np.float32(ACTIVITY_WEIGHT) * activity.speakers[nearest]
    return pieces_of_frames(number, segment, scores.astype(np.float64))


def beside(
    number: int, segment: SpeechSegment, floor: Sequence[SpeakerSegment], heard: HeardVoices, activity: Activity
) -> list[SpeakerSegment]:
    """Who speaks beside those who have the floor, where several speak at once.

    Args:
        floor: the pieces of the segment, ``speaker`` by column of the activity.
        activity: of frames that hold the segment.
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
