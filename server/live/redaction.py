"""Redaction of the turns of a live meeting, before they are published: the words around each change anew.

A track's turns are redacted together, because what is redacted may begin in one and end in the next. What may still
become a number or an address is held back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass

from server.conversation import RedactionKind, Word
from server.live.config import LiveConfig
from server.live.turn_snapshot import TurnSnapshot
from server.redaction import NameFinder, RedactionRules, redact_segments

# What is redacted anew around a change, and what is read to do so: longer than numbers and addresses take to be said.
REACH_US, CONTEXT_US = 60_000_000, 120_000_000


@dataclass(frozen=True, slots=True)
class ShownWords:
    """The words of a turn that may be published."""

    words: tuple[Word, ...]
    held_from_us: int | None
    """Start of its first word that is held back; None if none is."""
    track: int
    start_us: int
    end_us: int


class LiveRedaction:
    """Redact the turns of one meeting."""

    def __init__(self, config: LiveConfig) -> None:
        self._kinds = config.redacted_kinds
        self._names: frozenset[str] = frozenset()
        self.adopt_names(config, {})
        self._shown: dict[int, ShownWords] = {}  # by the engine's number
        self._heard_us: dict[int, int] = {}  # by track index
        self._paused_us: dict[int, int] = {}  # by track index

    def adopt_names(self, config: LiveConfig, current: Mapping[int, TurnSnapshot]) -> set[int]:
        """Redact the names that participants have and had.

        Args:
            current: all turns by the engine's number.

        Returns the numbers of turns that may contain a name which is new: they are to be redacted again.
        """
        names = frozenset(config.all_participant_names())
        new, self._names = names - self._names, names
        # Until the end it is not known who is called by which name: every common given name counts.
        self._rules = RedactionRules.create(self._kinds, names, any_given_name=True)
        if not new or RedactionKind.NAME not in self._kinds:
            return set()
        return _find_turns(NameFinder(new), current)

    def mark_heard(self, track: int, through_us: int) -> None:
        """Record up to where the track's audio has been analysed, in meeting time."""
        self._heard_us[track] = max(through_us, self._heard_us.get(track, 0))

    def mark_paused(self, track: int, through_us: int) -> None:
        """Record that a long pause, in which nothing was sent, ended what the track had said, in meeting time."""
        self._paused_us[track] = through_us

    def update(self, current: Mapping[int, TurnSnapshot], changed: Set[int]) -> set[int]:
        """Redact the turns around those that have changed, and those held back.

        Args:
            current: all turns by the engine's number.
            changed: numbers of turns; of ones that are gone, too.

        Returns the numbers of turns whose published words are to change.
        """
        if not self._kinds:
            return set()
        spans: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)  # by track index
        for gone in self._shown.keys() - current.keys():
            # What it separated may be one number now.
            shown = self._shown.pop(gone)
            spans[shown.track].append((shown.start_us, shown.end_us))
        held_back = {id_ for id_, shown in self._shown.items() if shown.held_from_us is not None}
        for id_ in (changed & current.keys()) | held_back:
            spans[current[id_].track].append((current[id_].start_us, current[id_].end_us))
        return {
            id_
            for track, changed in spans.items()
            for id_ in self._update_track(current, track, min(changed)[0], max(end_us for _, end_us in changed))
        }

    def _update_track(self, current: Mapping[int, TurnSnapshot], track: int, start_us: int, end_us: int) -> set[int]:
        near = [
            turn
            for turn in current.values()
            if turn.track == track and turn.end_us >= start_us - CONTEXT_US and turn.start_us <= end_us + CONTEXT_US
        ]
        heard_us = self._heard_us.get(track, 0) if self._may_go_on(track, near) else None
        redacted = redact_segments([turn.segment() for turn in near], self._rules, heard_us=heard_us)
        updated = set()
        for segment in redacted.segments:
            if segment.end_us < start_us - REACH_US or segment.start_us > end_us + REACH_US:
                continue
            held_from_us = redacted.held_from_us.get(segment.segment_id)
            shown = ShownWords(segment.words, held_from_us, track, segment.start_us, segment.end_us)
            if self._shown.get(segment.segment_id) != shown:
                self._shown[segment.segment_id] = shown
                updated.add(segment.segment_id)
        return updated

    def _may_go_on(self, track: int, turns: list[TurnSnapshot]) -> bool:
        """Return whether the last words may still become a number or an address with what follows."""
        last = max((turn for turn in turns if turn.words), key=lambda turn: turn.words[-1].start_us, default=None)
        # What was published before a restart was no secret then.
        return last is not None and not last.is_restored and last.words[-1].start_us >= self._paused_us.get(track, 0)

    def words(self, turn: TurnSnapshot) -> tuple[Word, ...]:
        """Return the words of a turn that may be published."""
        shown = self._shown.get(turn.segment_id)
        return turn.words if shown is None else shown.words

    def holds_back(self, segment_id: int) -> bool:
        """Return whether words of a turn are held back."""
        shown = self._shown.get(segment_id)
        return shown is not None and shown.held_from_us is not None

    def held_from_us(self, track: int) -> int | None:
        """Return the start of a track's first word that is held back, microseconds; None if none is."""
        starts = [s.held_from_us for s in self._shown.values() if s.track == track and s.held_from_us is not None]
        return min(starts, default=None)


def _find_turns(names: NameFinder, current: Mapping[int, TurnSnapshot]) -> set[int]:
    """Return the numbers of the turns that say one of these names."""
    by_track: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for id_, turn in sorted(current.items(), key=lambda item: item[1].start_us):
        by_track[turn.track] += [(id_, word.text) for word in turn.words]
    return {
        words[index][0]
        for words in by_track.values()
        for first, last in names.find([text for _, text in words])
        for index in range(first, last + 1)
    }
