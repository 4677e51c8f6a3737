"""Whose work a model takes next.

Owners (sessions) take turns. They may belong to parties (organizations): these take turns too, so that many busy
meetings of one delay another's no more than a single one does. Bulk work, of recordings behind which others of their
organization wait, comes after the rest, and begins only where a core is free (``inference.engine.room``): nobody waits
for one of many as for the only one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping

from inference.engine.room import Room

# No item of bulk work lets others go first for longer than this, seconds.
BULK_WAITS_AT_MOST_S = 1.0


def _alone(owner: Hashable) -> Hashable:
    return owner


def _never(_: Hashable) -> bool:
    return False


class Turns:
    """The order of owners before one model.

    Args:
        party_of: returns the party that an owner belongs to; by default each is its own.
        is_bulk: returns whether an owner's work is bulk work.
        room: shared by the models of an engine.
    """

    def __init__(
        self,
        party_of: Callable[[Hashable], Hashable] = _alone,
        is_bulk: Callable[[Hashable], bool] = _never,
        room: Room | None = None,
    ) -> None:
        self._party_of, self.is_bulk, self.room = party_of, is_bulk, room or Room()
        # By turn; those without work may linger.
        self._parties: dict[Hashable, None] = {}

    def in_order(self, waited_s: Mapping[Hashable, float]) -> list[tuple[Hashable, bool]]:
        """Return the owners with work: due work first, then that which does not yield, then by turns.

        Args:
            waited_s: the owners with work, by turn, and for how long it has been due, seconds; below 0: it is not due.

        Returns:
            Owners, and whether their work yields: it begins where there is room for bulk work.
        """
        parties = {owner: self._party_of(owner) for owner in waited_s}
        with_work = set(parties.values())
        known = {party: None for party in self._parties if party in with_work}
        self._parties = known | dict.fromkeys(parties.values())
        places = {party: place for place, party in enumerate(self._parties)}
        earlier: Counter[tuple[Hashable, bool, bool]] = Counter()
        order: dict[Hashable, tuple[bool, bool, int, int]] = {}
        for owner, party in parties.items():
            waits = waited_s[owner] < 0
            yields = waited_s[owner] < BULK_WAITS_AT_MOST_S and self.is_bulk(owner)
            order[owner] = (waits, yields, earlier[party, waits, yields], places[party])
            earlier[party, waits, yields] += 1
        return [(owner, order[owner][1]) for owner in sorted(order, key=order.__getitem__)]

    def served(self, owner: Hashable) -> None:
        """Let the owner's party have its next turn after all others."""
        party = self._party_of(owner)
        self._parties.pop(party, None)
        self._parties[party] = None
