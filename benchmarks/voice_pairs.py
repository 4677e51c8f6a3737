"""Voices known, voices new, and how often two of them are rightly or wrongly taken for one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.diarization import normalise

Vectors = NDArray[np.float32]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VoiceSet:
    """Arrays have one element a voice; a person may have several."""

    people: NDArray[np.str_]
    conditions: NDArray[np.str_]
    """How each was recorded."""
    vectors: Vectors
    """Shape (n, d), unit length."""

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> VoiceSet:
        return VoiceSet(self.people[which], self.conditions[which], self.vectors[which])

    def for_people(self, people: Collection[str]) -> VoiceSet:
        """Those of some people."""
        return self.select(np.isin(self.people, list(people)))

    def for_condition(self, condition: str) -> VoiceSet:
        """Those that were recorded in one way."""
        return self.select(self.conditions == condition)


def voices(windows: Sequence[tuple[str, str, Vectors]], count: int) -> VoiceSet:
    """Voices of ``count`` windows each, as many as there are; of all where these are fewer.

    Args:
        windows: person, way, and the vectors of a recording's windows, shape (n, d), n > 0.
    """
    people, conditions, found = [], [], []
    for person, condition, vectors in windows:
        for index in range(max(1, len(vectors) // count)):
            people.append(person)
            conditions.append(condition)
            found.append(vectors[index * count : (index + 1) * count].mean(0))
    return VoiceSet(np.array(people), np.array(conditions), normalise(np.stack(found)))


@dataclass(frozen=True, slots=True)
class PairSimilarities:
    """Similarities of pairs of voices."""

    same: Values
    """Of one person, n > 0."""
    other: Values
    """Of two, n > 0."""

    def missed(self, threshold: float) -> float:
        """Percent of the pairs of one person that are not seen to be one."""
        return float(100 * np.mean(self.same < threshold))

    def false_matches(self, threshold: float) -> float:
        """Percent of the pairs of two people that are taken for one."""
        return float(100 * np.mean(self.other >= threshold))

    @property
    def equal_error(self) -> float:
        """Percent of each kind of error at the threshold where they are nearest to equal: their mean."""
        thresholds = np.unique(np.concatenate([self.same, self.other]))
        missed = np.searchsorted(np.sort(self.same), thresholds) / len(self.same)
        taken = 1 - np.searchsorted(np.sort(self.other), thresholds) / len(self.other)
        best = int(np.abs(missed - taken).argmin())
        return float(100 * (missed[best] + taken[best]) / 2)

    def error_rates(self, threshold: float) -> dict[str, float]:
        same, other = np.percentile(self.same, (5, 50)), np.percentile(self.other, (50, 95, 100))
        return {
            "pairs_of_one": len(self.same),
            "pairs_of_two": len(self.other),
            "same_5_percent": round(float(same[0]), 3),
            "same_median": round(float(same[1]), 3),
            "other_median": round(float(other[0]), 3),
            "other_95_percent": round(float(other[1]), 3),
            "other_max": round(float(other[2]), 3),
            "equal_error_percent": round(self.equal_error, 2),
            "missed_percent": round(self.missed(threshold), 1),
            "taken_percent": round(self.false_matches(threshold), 2),
        }


def compare(known: VoiceSet, new: VoiceSet) -> PairSimilarities:
    """Every voice known with every new one."""
    similarity = (known.vectors @ new.vectors.T).astype(np.float64)
    same_person = known.people[:, None] == new.people[None, :]
    return PairSimilarities(similarity[same_person], similarity[~same_person])


@dataclass(frozen=True, slots=True)
class NamingRates:
    """What becomes of speakers who are compared with every voice that is known, percent."""

    right: float
    """Of those who are known: named as who they are."""
    wrong: float
    """Of those who are known: named as somebody else."""
    strangers: float
    """Named at all, where everybody but the speaker is known."""


def naming_rates(known: VoiceSet, new: VoiceSet, threshold: float) -> NamingRates:
    """Where all people of ``known`` are known by one way and one voice each, for each way."""
    right, wrong, strangers = [], [], []
    for condition in np.unique(known.conditions):
        one_condition = known.for_condition(condition)
        one_condition = one_condition.select(np.unique(one_condition.people, return_index=True)[1])
        similarity = one_condition.vectors @ new.vectors.T
        own = one_condition.people[:, None] == new.people[None, :]
        best_own = np.where(own, similarity, -1).max(0)
        best_other = np.where(own, -1, similarity).max(0)
        right.append((best_own >= threshold) & (best_own > best_other))
        wrong.append((best_other >= threshold) & (best_other > best_own))
        strangers.append(best_other >= threshold)
    return NamingRates(*(float(100 * np.mean(np.concatenate(one))) for one in (right, wrong, strangers)))
