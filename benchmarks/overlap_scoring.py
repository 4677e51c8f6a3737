"""How well a conversation tells who speaks at the same time, and who interrupts whom."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.scoring import SpokenInterval, to_annotation
from server.conversation import Conversation, EngineCapabilities, Segment
from server.insights import Interruption, build_timeline, iterate_interruptions

# An interruption that is told so close to a true one is that one: its beginning is that of an utterance, whose pauses
# of up to 0.5 s a diarizer may fill or not.
MAX_DISTANCE_S = 1.0


class Overlap(NamedTuple):
    """Seconds in which two or more speak."""

    true_s: float
    told_s: float
    both_s: float
    """In both reference and result."""

    @property
    def precision(self) -> float | None:
        """0..1; None where nothing is told."""
        return self.both_s / self.told_s if self.told_s else None

    @property
    def recall(self) -> float | None:
        """0..1; None where there is none."""
        return self.both_s / self.true_s if self.true_s else None


class InterruptionCounts(NamedTuple):
    """How many interruptions there are, and how many of them are told; successful and failed ones alike."""

    true: int
    told: int
    in_time: int
    """Told within a second of a true one."""
    by_whom: int
    """Of those: by the right speaker."""
    who_whom: int
    """Of those: of the right one, too."""
    true_successful: int
    told_successful: int


Counts = TypeVar("Counts", Overlap, InterruptionCounts)


def summed(counts: Sequence[Counts]) -> Counts:
    """Field by field, of one or more: of recordings that hold little of something each, rates are those of sums."""
    columns: Any = zip(*counts, strict=True)
    return type(counts[0])(*map(sum, columns))


def overlap(reference: Sequence[SpokenInterval], hypothesis: Sequence[SpokenInterval]) -> Overlap:
    """Overlap told beside the overlap that there is; without a collar."""
    true, found = (to_annotation(intervals).get_overlap() for intervals in (reference, hypothesis))
    return Overlap(true.duration(), found.duration(), true.crop(found).duration())


def reference_conversation(intervals: Sequence[SpokenInterval], duration_us: int) -> Conversation:
    """The conversation in which these speak, numbered in the order of their first speech.

    Args:
        intervals: what lies after ``duration_us`` is left out.
    """
    numbers: dict[str, int] = {}
    segments = [
        Segment(
            segment_id,
            numbers.setdefault(interval.speaker, len(numbers) + 1),
            round(interval.start_s * 1e6),
            min(duration_us, round(interval.end_s * 1e6)),
        )
        for segment_id, interval in enumerate(sorted(intervals), start=1)
    ]
    return Conversation(duration_us, tuple(numbers.values()), tuple(segments), EngineCapabilities(overlap=True))


def spoken_intervals(conversation: Conversation) -> list[SpokenInterval]:
    """Who speaks when, seconds; speakers by their numbers."""
    return [SpokenInterval(s.start_us / 1e6, s.end_us / 1e6, str(s.speaker)) for s in conversation.segments]


def interruptions(truth: Conversation, hypothesis: Conversation) -> InterruptionCounts:
    """InterruptionCounts as the product defines them, in what is told beside those in the truth."""
    true, found = (list(iterate_interruptions(build_timeline(talk))) for talk in (truth, hypothesis))
    same = same_speakers(spoken_intervals(truth), spoken_intervals(hypothesis))
    named = [
        (interruption, same.get(str(interruption.interrupter)), same.get(str(interruption.interrupted)))
        for interruption in found
    ]
    pairs = _match_interruptions(true, named)
    by_whom = [(a, b) for a, b in pairs if named[b][1] == str(true[a].interrupter)]
    return InterruptionCounts(
        len(true),
        len(found),
        len(pairs),
        len(by_whom),
        sum(named[b][2] == str(true[a].interrupted) for a, b in by_whom),
        sum(interruption.successful for interruption in true),
        sum(interruption.successful for interruption in found),
    )


def same_speakers(reference: Sequence[SpokenInterval], hypothesis: Sequence[SpokenInterval]) -> Mapping[str, str]:
    """Speakers of the reference by those of the hypothesis, so that they share most time; some may have none."""
    from pyannote.metrics.diarization import DiarizationErrorRate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Any = DiarizationErrorRate().optimal_mapping(to_annotation(reference), to_annotation(hypothesis))
    return dict(found)


def _match_interruptions(
    true: Sequence[Interruption], found: Sequence[tuple[Interruption, str | None, str | None]]
) -> list[tuple[int, int]]:
    """Places of those that are the same, each once: as many as can be, and of the right speakers if possible."""
    if not true or not found:
        return []
    distance_s = np.array([[abs(a.start_us - b.start_us) / 1e6 for b, _, _ in found] for a in true])
    wrong = np.array([[(str(a.interrupter) != by) + (str(a.interrupted) != of) for _, by, of in found] for a in true])
    near = distance_s <= MAX_DISTANCE_S
    # One pair more is worth any number of better ones.
    cost = np.where(near, wrong + distance_s / MAX_DISTANCE_S, 4.0 * (1 + min(distance_s.shape)))
    rows, columns = linear_sum_assignment(cost)
    return [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if near[a, b]]
