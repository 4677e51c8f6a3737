"""Vocal activation: how lively a speaker sounds compared with their own mean.

Level, pitch spread and speech rate rise with arousal (Scherer, 2003; they lead the eGeMAPS set, Eyben et al., 2016).
Each is normalised by speaker, so that a loud voice or a close microphone has no advantage.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import NormalDist, fmean, pstdev

from server.conversation import Conversation, Segment, Utterance

# Minimum number of utterances for a speaker's own statistics.
MIN_UTTERANCES = 5
MIN_VOICED_S = 0.2
_NORMAL = NormalDist()


def compute_activations(conversation: Conversation, spoken: Sequence[Utterance]) -> tuple[float | None, ...]:
    """Return the activation of each utterance, 0..1: the normal CDF of the mean of up to three z-scores.

    None for a speaker with fewer than five utterances, and without measurements.
    """
    measured: list[tuple[float | None, ...]] = [(None, None, None)] * len(spoken)
    for speaker in conversation.speakers:
        own = [s for s in conversation.segments if s.speaker == speaker]
        starts = [s.start_us for s in own]
        for index, utterance in enumerate(spoken):
            if utterance.speaker == speaker:
                first, last = bisect_left(starts, utterance.start_us), bisect_right(starts, utterance.end_us)
                measured[index] = _features(own[first:last], utterance)
    values: list[float | None] = [None] * len(spoken)
    for speaker in conversation.speakers:
        indices = [index for index, utterance in enumerate(spoken) if utterance.speaker == speaker]
        if len(indices) < MIN_UTTERANCES:
            continue
        columns = [_z_scores([measured[index][column] for index in indices]) for column in range(3)]
        for position, index in enumerate(indices):
            known = [column[position] for column in columns]
            present = [z for z in known if z is not None]
            if present:
                values[index] = round(_NORMAL.cdf(fmean(present)), 4)
    return tuple(values)


def _features(segments: Sequence[Segment], utterance: Utterance) -> tuple[float | None, float | None, float | None]:
    """Return level (dBFS), pitch spread (semitones) and words per second; None where not measured."""
    levels = [
        (s.acoustics, s.end_us - s.start_us) for s in segments if s.acoustics is not None and s.end_us > s.start_us
    ]
    level = None
    if levels:
        power = sum(10 ** (a.level_dbfs / 10) * d for a, d in levels) / sum(d for _, d in levels)
        level = 10 * math.log10(max(power, 1e-10))
    words = sum(len(segment.words) for segment in segments)
    rate = words / (utterance.duration_us / 1e6) if words and utterance.duration_us else None
    return level, _pooled_spread(segments), rate


def _pooled_spread(segments: Sequence[Segment]) -> float | None:
    """Return the standard deviation of pitch over all segments, semitones, pooled from each segment's."""
    parts = [
        (s.acoustics.voiced_seconds, s.acoustics.pitch_semitones, s.acoustics.pitch_spread_semitones)
        for s in segments
        if s.acoustics is not None
    ]
    known = [(weight, mean, spread) for weight, mean, spread in parts if mean is not None and spread is not None]
    total = sum(weight for weight, _, _ in known)
    if total < MIN_VOICED_S:
        return None
    mean = sum(weight * m for weight, m, _ in known) / total
    return math.sqrt(sum(weight * (spread**2 + (m - mean) ** 2) for weight, m, spread in known) / total)


def _z_scores(values: Sequence[float | None]) -> list[float | None]:
    known = [value for value in values if value is not None]
    if len(known) < MIN_UTTERANCES:
        return [None] * len(values)
    mean, spread = fmean(known), pstdev(known)
    if spread < 1e-9:
        return [None if value is None else 0.0 for value in values]
    return [None if value is None else (value - mean) / spread for value in values]
