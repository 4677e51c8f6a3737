"""Runs of digits in a speaker's words: groups that belong to one number, as cards and telephone numbers are said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from server.conversation import Word
from server.redaction.spoken_numbers import FILLERS, MAX_FILLERS, DigitGroup, bare

# A longer pause ends a number: others may have answered, but the number is not continued.
MAX_PAUSE_US = 8_000_000
# Groups of a run that are compared with each other; numbers have fewer.
MAX_GROUPS = 48
# So many steps of one, from the first group on and over so much of it, are counting.
MIN_COUNTED, COUNTED_SHARE = 4, 0.6


@dataclass(frozen=True, slots=True)
class Candidate:
    """Consecutive groups of a run that may be a number."""

    digits: str
    groups: tuple[DigitGroup, ...]

    @property
    def first(self) -> int:
        """Index of the first word."""
        return self.groups[0].first

    @property
    def last(self) -> int:
        """Index of the last word, inclusive."""
        return self.groups[-1].last

    @property
    def plus(self) -> bool:
        """Whether it begins with a plus."""
        return self.groups[0].plus


def find_runs(words: Sequence[Word], groups: Sequence[DigitGroup]) -> list[tuple[DigitGroup, ...]]:
    """Return the runs of groups with nothing but a filler or a short pause between two of them."""
    runs: list[list[DigitGroup]] = []
    for group in groups:
        if runs and len(runs[-1]) < MAX_GROUPS and _continues(words, runs[-1][-1], group):
            runs[-1].append(group)
        else:
            runs.append([group])
    return [tuple(run) for run in runs]


def _continues(words: Sequence[Word], previous: DigitGroup, group: DigitGroup) -> bool:
    between = words[previous.last + 1 : group.first]
    if group.plus or len(between) > MAX_FILLERS or not all(bare(word.text) in FILLERS for word in between):
        return False
    return words[group.first].start_us - words[previous.last].end_us <= MAX_PAUSE_US


def candidates(run: Sequence[DigitGroup], lengths: range) -> Iterator[Candidate]:
    """Yield the consecutive groups of a run whose digits are of a length, the longest first, then from the left."""
    found = []
    for first in range(len(run)):
        digits = ""
        for last in range(first, len(run)):
            digits += run[last].digits
            if len(digits) >= lengths.stop:
                break
            if len(digits) in lengths:
                found.append((-len(digits), first, last))
    for _, first, last in sorted(found):
        groups = tuple(run[first : last + 1])
        yield Candidate("".join(group.digits for group in groups), groups)


def is_counting(groups: Sequence[DigitGroup]) -> bool:
    """Return whether groups count up or down, or are years: no number that anybody has."""
    if len(groups) < MIN_COUNTED:
        return False
    values = [int(group.digits) for group in groups]
    steps = [second - first for first, second in pairwise(values)]
    if len(set(steps)) == 1 and steps[0] in (1, -1, 2, 5, 10, 100):
        return True
    counted = next((index for index, step in enumerate(steps) if step != 1), len(steps)) + 1
    if counted > MIN_COUNTED and counted >= COUNTED_SHARE * len(groups):
        return True
    return all(1900 <= value <= 2099 and len(group.digits) == 4 for value, group in zip(values, groups, strict=True))
