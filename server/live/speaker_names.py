"""What the speakers of a live meeting are called while it runs, and which names clients know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import UNKNOWN_SPEAKER
from server.live.config import LiveConfig
from server.storage import speaker_id

UNKNOWN_SPEAKER_ID = str(UUID(int=0))


class SpeakerNames:
    """Names of a meeting's speakers: given by hand, else the participant's or the room's, else a number."""

    def __init__(self, config: LiveConfig, meeting_id: UUID) -> None:
        self._config, self._meeting_id = config, meeting_id
        self._by_hand: dict[int, str] = {}
        self._of_tracks: dict[int, str] = {}
        self._ids: dict[int, str] = {UNKNOWN_SPEAKER: UNKNOWN_SPEAKER_ID}
        self._numbers: dict[str, int] = {UNKNOWN_SPEAKER_ID: UNKNOWN_SPEAKER}
        self._told: dict[str, str] = {}  # by speaker id: the name that the last event told
        self._changed = False
        self.revision = 0
        """How often names have changed."""
        self._read_tracks()

    def _read_tracks(self) -> None:
        # Those given by hand are shown all the same.
        if not self._config.hides_names:
            self._of_tracks = {**self._config.room_names(), **self._config.participant_names()}

    def id(self, number: int) -> str:
        """Return a speaker's UUID; the nil UUID for the unknown speaker."""
        if number not in self._ids:
            self._ids[number] = str(speaker_id(self._meeting_id, number))
            self._numbers[self._ids[number]] = number
        return self._ids[number]

    def number(self, id_: str) -> int:
        """Return the number of a speaker of the meeting by UUID; the inverse of ``id``."""
        # Ids are derived from numbers: enumerating a few finds the match.
        number = 0
        while id_ not in self._numbers:
            number += 1
            self.id(number)
        return self._numbers[id_]

    def alias(self, number: int) -> str:
        """Return a speaker's display name."""
        if number == UNKNOWN_SPEAKER:
            return "Unknown"
        return self._by_hand.get(number) or self._of_tracks.get(number) or f"Speaker {number}"

    def give(self, names: Mapping[int, str]) -> set[int]:
        """Adopt names given by hand, or those of the finished meeting; return whose alias changes."""
        changed = {number for number, name in names.items() if self.alias(number) != name}
        self._by_hand.update(names)
        self._changed |= bool(changed)
        self.revision += bool(changed)
        return changed

    def take_back(self, numbers: Iterable[int]) -> set[int]:
        """Forget names given by hand, and read those of the tracks anew; return whose alias changes."""
        before = {number: self.alias(number) for number in {*self._ids, *self._of_tracks, *self._by_hand}}
        for number in numbers:
            self._by_hand.pop(number, None)
        self._read_tracks()
        self.revision += 1
        changed = {number for number in {*before, *self._of_tracks} if self.alias(number) != before.get(number)}
        self._changed |= bool(changed)
        return changed

    def record(self, turn: pb.LiveTurn) -> None:
        """Record the name that a turn tells, or told: called for every turn event of the meeting, in order."""
        if turn.state != pb.LIVE_TURN_STATE_RETRACTED and turn.speaker_id != UNKNOWN_SPEAKER_ID:
            self._told[turn.speaker_id] = turn.alias

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore the names told by stored events."""
        for event in events:
            if event.WhichOneof("event") == "speaker_name":
                self._told[event.speaker_name.speaker_id] = event.speaker_name.alias
            elif event.WhichOneof("event") == "turn":
                self.record(event.turn)
        # Names may have changed without having been told.
        self._changed = True

    def changes(self) -> list[pb.LiveEvent]:
        """Return an event for each speaker who was told by another name, and mark them as published."""
        if not self._changed:
            return []
        self._changed = False
        current = {id_: self.alias(self.number(id_)) for id_ in self._told}
        renamed = {id_: alias for id_, alias in current.items() if self._told[id_] != alias}
        self._told |= renamed
        return [
            pb.LiveEvent(speaker_name=pb.LiveSpeakerName(speaker_id=id_, alias=alias)) for id_, alias in renamed.items()
        ]
