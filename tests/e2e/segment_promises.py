"""What live.proto promises of segments and speakers, checked event by event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meetra.v1 import live_pb2 as pb

PARTIAL, STABLE = pb.LIVE_TURN_STATE_PARTIAL, pb.LIVE_TURN_STATE_STABLE
FINAL, RETRACTED = pb.LIVE_TURN_STATE_FINAL, pb.LIVE_TURN_STATE_RETRACTED
NIL = "00000000-0000-0000-0000-000000000000"


@dataclass(slots=True)
class SegmentPromises:
    """Read every event in order; ``broken`` says which promises were not kept."""

    after_event_seq: int = 0
    """The last event seen before, as in the call."""
    max_voices: int = 8
    """Voices that the engine tells apart on a track: names never outnumber them."""
    broken: list[str] = field(default_factory=list)
    segments: dict[int, pb.LiveTurn] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """The name that was told last, by speaker."""
    finished: bool = False
    _first: dict[int, pb.LiveTurn] = field(default_factory=dict)
    _first_stable: dict[int, pb.LiveTurn] = field(default_factory=dict)

    def add(self, event: pb.LiveEvent) -> None:
        """Check the next event."""
        expected = self.after_event_seq + 1 + event.left_out
        if event.event_seq != expected:
            self.broken.append(f"event {event.event_seq} after {self.after_event_seq} with {event.left_out} left out")
        self.after_event_seq = event.event_seq
        if self.finished:
            self.broken.append(f"event {event.event_seq} after the last one")
        kind = event.WhichOneof("event")
        if kind == "turn":
            self._add_turn(event.turn)
        elif kind == "insights":
            self.names.update((speaker.speaker_id, speaker.alias) for speaker in event.insights.speakers)
        elif kind == "speaker_revision":
            self._add_revision(event.speaker_revision)
        elif kind == "finished":
            self.finished = True
            open_ = [turn.segment_id for turn in self.segments.values() if turn.state not in (FINAL, RETRACTED)]
            if open_ and event.finished.status == "ready":
                self.broken.append(f"segments {open_} are not final at the end")

    def _add_turn(self, turn: pb.LiveTurn) -> None:
        before = self.segments.get(turn.segment_id)
        if before is None:
            self._first[turn.segment_id] = turn
            if turn.state == RETRACTED and not self.finished:
                self._break(turn, "begins as RETRACTED")
        else:
            self._check_successor(before, turn)
        if turn.state != RETRACTED:
            self._check_speech(turn)
            self._check_speaker(turn)
        if turn.state == STABLE:
            self._first_stable.setdefault(turn.segment_id, turn)
        if turn.state == RETRACTED and turn.words:
            self._break(turn, "is RETRACTED with words")
        self.segments[turn.segment_id] = turn

    def _check_successor(self, before: pb.LiveTurn, turn: pb.LiveTurn) -> None:
        if turn.revision != before.revision + 1:
            self._break(turn, f"has revision {turn.revision} after {before.revision}")
        if before.state in (FINAL, RETRACTED):
            self._break(turn, f"changes after {pb.LiveTurnState.Name(before.state)}")
        if (before.state, turn.state) == (STABLE, PARTIAL):
            self._break(turn, "goes back from STABLE to PARTIAL")
        if (before.track_id, before.channel) != (turn.track_id, turn.channel):
            self._break(turn, f"moves from track {before.track_id} to {turn.track_id}")

    def _check_speech(self, turn: pb.LiveTurn) -> None:
        """It covers more than half of what it named first, and first when it was stable."""
        for named in (self._first.get(turn.segment_id), self._first_stable.get(turn.segment_id)):
            if named is None:
                continue
            shared_ms = min(turn.end_ms, named.end_ms) - max(turn.start_ms, named.start_ms)
            if 2 * shared_ms <= named.end_ms - named.start_ms and named.end_ms > named.start_ms:
                moved = f"{named.start_ms}-{named.end_ms} ms to {turn.start_ms}-{turn.end_ms} ms"
                self._break(turn, f"names other speech: from {moved}")

    def _check_speaker(self, turn: pb.LiveTurn) -> None:
        if (turn.speaker_id == NIL) != (turn.alias == "Unknown"):
            self._break(turn, f"is of {turn.speaker_id}, called {turn.alias}")
        if turn.speaker_id != NIL:
            self.names[turn.speaker_id] = turn.alias
        numbers = [int(name.removeprefix("Speaker ")) for name in self.names.values() if name.startswith("Speaker ")]
        if max(numbers, default=0) > self.max_voices:
            self._break(turn, f"is of speaker {max(numbers)}: more than there can be")

    def _add_revision(self, revision: pb.SpeakerRevision) -> None:
        for id_ in revision.segment_ids:
            if id_ not in self.segments or self.segments[id_].speaker_id != revision.from_speaker_id:
                self.broken.append(f"a speaker revision takes segment {id_} from somebody who does not have it")

    def _break(self, turn: pb.LiveTurn, what: str) -> None:
        self.broken.append(f"segment {turn.segment_id} {what}")

    def check_names(self, speakers: Mapping[str, str]) -> None:
        """Compare the names with those of ListSpeakers at the end, by id."""
        spoken = {turn.speaker_id for turn in self.segments.values() if turn.state == FINAL and turn.speaker_id != NIL}
        told = {id_: self.names[id_] for id_ in spoken}
        if told != speakers:
            self.broken.append(f"live names {told} are not those of the finished meeting {dict(speakers)}")
