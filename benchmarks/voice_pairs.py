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
class Voices:
    """Arrays have one element a voice; a person may have several."""

    people: NDArray[np.str_]
    ways: NDArray[np.str_]
    """How each was recorded."""
    vectors: Vectors
    """Shape (n, d), unit length."""

    def kept(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Voices:
        return Voices(self.people[which], self.ways[which], self.vectors[which])

    def of(self, people: Collection[str]) -> Voices:
        """Those of some people."""
        return self.kept(np.isin(self.people, list(people)))

    def by(self, way: str) -> Voices:
        """Those that were recorded in one way."""
        return self.kept(self.ways == way)


def voices(windows: Sequence[tuple[str, str, Vectors]], count: int) -> Voices:
    """Voices of ``count`` windows each, as many as there are; of all where these are fewer.

    Args:
        windows: person, way, and the vectors of a recording's windows, shape (n, d), n > 0.
    """
    people, ways, found = [], [], []
    for person, way, vectors in windows:
        for place in range(max(1, len(vectors) // count)):
            people.append(person)
            ways.append(way)
            found.append(vectors[place * count : (place + 1) * count].mean(0))
    return Voices(np.array(people), np.array(ways), normalise(np.stack(found)))


@dataclass(frozen=True, slots=True)
class Compared:
    """Similarities of pairs of voices."""

    same: Values
    """Of one person, n > 0."""
    other: Values
    """Of two, n > 0."""

    def missed(self, threshold: float) -> float:
        """Percent of the pairs of one person that are not seen to be one."""
        return float(100 * np.mean(self.same < threshold))

    def taken(self, threshold: float) -> float:
        """Percent of the pairs of two people that are taken for one."""
        return float(100 * np.mean(self.other >= threshold))

    @property
    def equal_error(self) -> float:
        """Percent of each kind of error at the threshold where they are nearest to equal: their mean."""
        places = np.unique(np.concatenate([self.same, self.other]))
        missed = np.searchsorted(np.sort(self.same), places) / len(self.same)
        taken = 1 - np.searchsorted(np.sort(self.other), places) / len(self.other)
        best = int(np.abs(missed - taken).argmin())
        return float(100 * (missed[best] + taken[best]) / 2)

    def figures(self, threshold: float) -> dict[str, float]:
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
            "taken_percent": round(self.taken(threshold), 2),
        }


def compared(known: Voices, new: Voices) -> Compared:
    """Every voice known with every new one."""
    similarity = (known.vectors @ new.vectors.T).astype(np.float64)
    one = known.people[:, None] == new.people[None, :]
    return Compared(similarity[one], similarity[~one])


@dataclass(frozen=True, slots=True)
class Named:
    """What becomes of speakers who are compared with every voice that is known, percent."""

    right: float
    """Of those who are known: named as who they are."""
    wrong: float
    """Of those who are known: named as somebody else."""
    strangers: float
    """Named at all, where everybody but the speaker is known."""


def named(known: Voices, new: Voices, threshold: float) -> Named:
    """Where all people of ``known`` are known by one way and one voice each, for each way."""
    right, wrong, strangers = [], [], []
    for way in np.unique(known.ways):
        one_way = known.by(way)
        one_way = one_way.kept(np.unique(one_way.people, return_index=True)[1])
        similarity = one_way.vectors @ new.vectors.T
        own = one_way.people[:, None] == new.people[None, :]
        best_own = np.where(own, similarity, -1).max(0)
        best_other = np.where(own, -1, similarity).max(0)
        right.append((best_own >= threshold) & (best_own > best_other))
        wrong.append((best_other >= threshold) & (best_other > best_own))
        strangers.append(best_other >= threshold)
    return Named(*(float(100 * np.mean(np.concatenate(one))) for one in (right, wrong, strangers)))
