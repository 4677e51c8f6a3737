"""What live.proto promises of turns that end, of pauses and of words, checked event by event."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from meetra.v1 import live_pb2 as pb

FINAL, RETRACTED = pb.LIVE_TURN_STATE_FINAL, pb.LIVE_TURN_STATE_RETRACTED
PROVISIONAL_WORD, FINAL_WORD = pb.LIVE_WORD_STABILITY_PROVISIONAL, pb.LIVE_WORD_STABILITY_FINAL
FinalWord = tuple[int, int, str, float | None]


@dataclass(slots=True)
class TurnEndPromises:
    """Read every event in order; ``broken`` says which promises were not kept."""

    turn_pause_ms: int = 500
    """As in the config."""
    pause_ms: int = 3000
    broken: list[str] = field(default_factory=list)
    ends: dict[int, pb.LiveTurnEnd] = field(default_factory=dict)
    """What was told, by segment."""
    pauses: list[pb.LivePause] = field(default_factory=list)
    """Pauses that are over."""
    _turns: dict[int, pb.LiveTurn] = field(default_factory=dict)
    _open_ms: int | None = None
    _told_meanwhile: set[int] = field(default_factory=set)
    """Segments that were told since the open pause began."""
    _final_words: defaultdict[tuple[str, int], set[FinalWord]] = field(default_factory=lambda: defaultdict(set))
    _late: set[tuple[str, int]] = field(default_factory=set)
    _words_ms: int = 0

    def add(self, event: pb.LiveEvent) -> None:
        """Check the next event."""
        kind = event.WhichOneof("event")
        if kind == "turn":
            self._add_turn(event.turn)
        elif kind == "turn_end":
            self._add_end(event.turn_end)
        elif kind == "pause":
            self._add_pause(event.pause)
        elif kind == "watermark":
            self._add_watermark(event.watermark)
        elif kind == "warning" and event.warning.code == pb.WARNING_CODE_LATE_AUDIO:
            self._late.add((event.warning.track_id, event.warning.channel))
        elif kind == "finished" and event.finished.status == "ready":
            self._finish()

    def reasons(self) -> list[pb.TurnEndReason.ValueType]:
        """The reasons of the ends that stand, by time."""
        standing = [end for id_, end in self.ends.items() if self._turns[id_].state != RETRACTED]
        return [end.reason for end in sorted(standing, key=lambda end: end.end_ms)]

    def _expect(self, kept: bool, what: str) -> None:
        if not kept:
            self.broken.append(what)

    def _add_turn(self, turn: pb.LiveTurn) -> None:
        name, key = f"segment {turn.segment_id}", (turn.track_id, turn.channel)
        self._turns[turn.segment_id] = turn
        self._told_meanwhile.add(turn.segment_id)
        stabilities = {word.stability for word in turn.words}
        self._expect(stabilities <= {PROVISIONAL_WORD, FINAL_WORD}, f"{name} has words of {stabilities}")
        if turn.state == FINAL:
            self._expect(stabilities <= {FINAL_WORD}, f"{name} is FINAL, its words are not")
        for word in turn.words:
            known = word.confidence if word.HasField("confidence") else None
            self._expect(known is not None and 0 <= known <= 1, f"{name}: confidence {known} of {word.text}")
            told = (word.start_ms, word.end_ms, word.text, known)
            final = self._final_words[key]
            if word.stability == FINAL_WORD:
                final.add(told)
            overlapping = [one for one in final if one[0] < word.end_ms and word.start_ms < one[1] and one != told]
            changed = [one for one in overlapping if one[:2] == told[:2]]
            self._expect(not changed, f"{name}: {told} was final as {changed}")

    def _add_end(self, end: pb.LiveTurnEnd) -> None:
        name, turn = f"the end of segment {end.segment_id}", self._turns.get(end.segment_id)
        self._expect(end.segment_id not in self.ends, f"{name} is told twice")
        self.ends[end.segment_id] = end
        if turn is None or turn.state == RETRACTED:
            self.broken.append(f"{name}, which is not there")
            return
        said = end.speaker_id, end.track_id, end.channel, end.end_ms
        self._expect(said == (turn.speaker_id, turn.track_id, turn.channel, turn.end_ms), f"{name} is not {said}")
        self._expect(end.reason != pb.TURN_END_REASON_UNSPECIFIED, f"{name} has no reason")
        passed_on = end.reason in (pb.TURN_END_REASON_CHANGE, pb.TURN_END_REASON_INTERRUPTION)
        self._expect(bool(end.next_speaker_id) == passed_on, f"{name}: {end.next_speaker_id} speaks on")
        known = {turn.speaker_id for turn in self._turns.values()}
        self._expect(not passed_on or end.next_speaker_id in known, f"{name}: nobody is {end.next_speaker_id}")
        self._expect(end.pause_ms >= 0, f"{name}: a pause of {end.pause_ms}")

    def _add_pause(self, pause: pb.LivePause) -> None:
        if not pause.HasField("end_ms"):
            self._expect(self._open_ms is None, f"{pause} begins in another")
            before = self.pauses[-1].end_ms if self.pauses else 0
            self._expect(pause.start_ms >= before, f"{pause} begins before {before}")
            self._open_ms = pause.start_ms
            self._told_meanwhile.clear()
            return
        self._expect(self._open_ms == pause.start_ms, f"{pause} is over; {self._open_ms} had begun")
        found_later = any(self._turns[id_].start_ms <= pause.end_ms for id_ in self._told_meanwhile)
        is_long = pause.end_ms - pause.start_ms >= self.pause_ms
        self._expect(is_long or found_later, f"{pause} is short, and no speech was found in it later")
        self._open_ms = None
        self.pauses.append(pause)

    def _add_watermark(self, mark: pb.Watermark) -> None:
        self._words_ms = mark.words_final_through_ms
        for turn in self._turns.values():
            if turn.state == RETRACTED or (turn.track_id, turn.channel) in self._late:
                continue
            open_ = [w.text for w in turn.words if w.end_ms <= self._words_ms and w.stability != FINAL_WORD]
            self._expect(not open_, f"{self._words_ms} passes {open_} of segment {turn.segment_id}, not final")

    def _finish(self) -> None:
        self._expect(self._open_ms is None, f"the pause from {self._open_ms} is not over")
        there = [turn for turn in self._turns.values() if turn.state != RETRACTED]
        for key, final in self._final_words.items():
            now = {
                (w.start_ms, w.end_ms, w.text, w.confidence)
                for turn in there
                if (turn.track_id, turn.channel) == key
                for w in turn.words
            }
            excluded = not any((turn.track_id, turn.channel) == key for turn in there)
            lost = sorted(final - now)
            self._expect(excluded or not lost, f"final words of {key} are gone: {lost}")
        for turn in there:
            goes_on = any(
                other.speaker_id == turn.speaker_id
                and other.start_ms < turn.end_ms + self.turn_pause_ms
                and (other.end_ms, other.start_ms, other.segment_id) > (turn.end_ms, turn.start_ms, turn.segment_id)
                for other in there
            )
            told = turn.segment_id in self.ends
            self._expect(goes_on or told, f"nobody said that segment {turn.segment_id} ({turn.end_ms}) has ended")
