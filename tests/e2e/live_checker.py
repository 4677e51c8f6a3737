"""A checker of what live.proto promises, fed with every message of a meeting as it comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from tests.e2e.turn_end_promises import TurnEndPromises

PARTIAL, STABLE = pb.LIVE_TURN_STATE_PARTIAL, pb.LIVE_TURN_STATE_STABLE
FINAL, RETRACTED = pb.LIVE_TURN_STATE_FINAL, pb.LIVE_TURN_STATE_RETRACTED
Word = tuple[int, int, str]


class LiveChecker:
    """Collects the promises that a meeting breaks."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.ends = TurnEndPromises(broken=self.broken)
        """What was told of turns that end, and of pauses."""
        self.turns: dict[int, pb.LiveTurn] = {}
        """The latest revision of every segment."""
        self.warnings: list[pb.Warning] = []
        self.alerts: dict[int, rules_pb2.LiveAlert] = {}
        """The last event of every alert."""
        self.final_ms = self.words_ms = 0
        """The watermark."""
        self.finished: pb.LiveFinished | None = None
        self._insights: pb.LiveInsights | None = None
        self._seq = 0
        self._acknowledged: defaultdict[str, int] = defaultdict(int)
        self._ended: set[str] = set()
        self._late: set[tuple[str, int]] = set()  # tracks whose audio came after what was final
        self._final_words: dict[tuple[str, int], tuple[int, list[Word]]] = {}
        self._promised: dict[int, str] = {}  # speaker by segment, by the last speaker revision

    def hear(self, response: pb.StreamMeetingResponse) -> None:
        """Check a message of StreamMeeting."""
        kind = response.WhichOneof("payload")
        if kind == "ready":
            self._ready(response.ready)
        elif kind == "ack":
            self._ack(response.ack)
        elif kind == "event":
            self.event(response.event)
        else:
            self._break("a message that is neither ready, nor ack, nor event")

    def event(self, event: pb.LiveEvent) -> None:
        """Check an event."""
        self._expect(event.event_seq == self._seq + 1, f"event_seq {event.event_seq} after {self._seq}")
        self._expect(self.finished is None, f"event {event.event_seq} after finished")
        self._seq = event.event_seq
        checks: dict[str | None, Callable[[Any], None]] = {
            "turn": self._turn,
            "speaker_revision": self._speaker_revision,
            "watermark": self._watermark,
            "insights": self._check_insights,
            "warning": self._warning,
            "finished": self._finish,
            "language": lambda _: None,
            "turn_end": lambda _: None,
            "pause": lambda _: None,
            "alert": self._alert,
            "clock": lambda _: None,
            "track": self._track,
            "speaker_name": lambda _: None,
        }
        kind = event.WhichOneof("event")
        checks[kind](getattr(event, str(kind)))
        self.ends.add(event)

    @property
    def last_seq(self) -> int:
        """The last event."""
        return self._seq

    def words(self, track_id: str, channel: int = 0) -> list[Word]:
        """The words of a track as they are known now, by time."""
        turns = (t for t in self.turns.values() if (t.track_id, t.channel) == (track_id, channel))
        return sorted((w.start_ms, w.end_ms, w.text) for t in turns if t.state != RETRACTED for w in t.words)

    def states(self, track_id: str) -> set[pb.LiveTurnState.ValueType]:
        """The states of a track's turns."""
        return {t.state for t in self.turns.values() if t.track_id == track_id} - {RETRACTED}

    def check_rest(self, get: Callable[[str], Any]) -> None:
        """Check that REST tells what the last events told; ``get`` returns the answer of a path for the meeting."""
        said: defaultdict[str, list[str]] = defaultdict(list)
        for turn in sorted(self.turns.values(), key=lambda t: (t.start_ms, t.end_ms, t.segment_id)):
            if turn.state != RETRACTED:
                said[turn.speaker_id] += [word.text for word in turn.words]
        stored: defaultdict[str, list[str]] = defaultdict(list)
        for sentence in get("/single-feature-api/meeting/transcription")["Transcription"]:
            stored[sentence["speaker"]] += sentence["transcription"].split()
        live = {speaker: _letters(words) for speaker, words in said.items() if words}
        rest = {speaker: _letters(words) for speaker, words in stored.items() if words}
        self._expect(live == rest, f"REST has {rest}, the events had {live}")
        assert self._insights is not None
        balance = get("/single-feature-api/meeting/balance-score")["balance_score"]
        same = abs(balance - self._insights.balance_score) <= 0.011
        self._expect(same, f"REST balance {balance}, last insights {self._insights.balance_score}")

    def _break(self, what: str) -> None:
        self.broken.append(f"event {self._seq}: {what}")

    def _expect(self, kept: bool, what: str) -> None:
        if not kept:
            self._break(what)

    def _ready(self, ready: pb.LiveReady) -> None:
        self._expect(ready.limits.grace_s > 0, "ready without a grace period")
        self._positions(ready.tracks, at_least=0)

    def _ack(self, ack: pb.Ack) -> None:
        self._positions(ack.tracks, at_least=1)
        self._expect(ack.words_lag_ms >= 0 and ack.lag_ms >= 0, f"lag {ack.lag_ms}, {ack.words_lag_ms}")

    def _positions(self, positions: Any, at_least: int) -> None:
        for position in positions:
            before = self._acknowledged[position.track_id]
            self._expect(position.next_sample >= before + at_least, f"{position} after {before}")
            self._acknowledged[position.track_id] = position.next_sample

    def _turn(self, turn: pb.LiveTurn) -> None:
        before, key = self.turns.get(turn.segment_id), (turn.track_id, turn.channel)
        name = f"segment {turn.segment_id} ({pb.LiveTurnState.Name(turn.state)}, {turn.start_ms}-{turn.end_ms})"
        self._expect(turn.revision == (before.revision if before else 0) + 1, f"{name}: revision {turn.revision}")
        if before is None:
            late = key in self._late or turn.end_ms > self.final_ms
            self._expect(late, f"{name} is new before the watermark {self.final_ms}")
        else:
            self._expect(before.state != FINAL, f"{name} changed after FINAL")
            passed = before.end_ms <= self.final_ms and before.state != RETRACTED and key not in self._late
            self._expect(not passed or self.finished is not None, f"{name} changed before {self.final_ms}")
            self._expect((before.state, turn.state) != (STABLE, PARTIAL), f"{name} is PARTIAL again")
        self._expect(0 <= turn.start_ms <= turn.end_ms, f"{name}: times")
        starts = [word.start_ms for word in turn.words]
        self._expect(starts == sorted(starts), f"{name}: words out of order")
        self._expect(all(w.start_ms <= w.end_ms for w in turn.words), f"{name}: times of words")
        promised = self._promised.pop(turn.segment_id, turn.speaker_id)
        self._expect(promised == turn.speaker_id, f"{name}: a speaker revision said {promised}")
        self.turns[turn.segment_id] = turn

    def _speaker_revision(self, revision: pb.SpeakerRevision) -> None:
        for id_ in revision.segment_ids:
            known = self.turns.get(id_)
            told = known is not None and known.speaker_id == revision.from_speaker_id
            self._expect(told, f"speaker revision of segment {id_}, which was not {revision.from_speaker_id}'s")
            self._promised[id_] = revision.to_speaker_id

    def _watermark(self, mark: pb.Watermark) -> None:
        self._check_final_words()
        fell = mark.final_through_ms < self.final_ms or mark.words_final_through_ms < self.words_ms
        self._expect(not fell, f"the watermark fell from {self.final_ms}, {self.words_ms} to {mark}")
        self._expect(mark.words_final_through_ms >= mark.final_through_ms, f"words behind speakers: {mark}")
        self.final_ms, self.words_ms = mark.final_through_ms, mark.words_final_through_ms
        for turn in self.turns.values():
            if (turn.track_id, turn.channel) in self._late:
                continue
            open_ = turn.state in (PARTIAL, STABLE)
            self._expect(not open_ or turn.end_ms > self.final_ms, f"{self.final_ms} passes the open {turn}")
            partial = turn.state == PARTIAL
            self._expect(not partial or turn.end_ms > self.words_ms, f"{self.words_ms} passes the partial {turn}")
        for key in {(turn.track_id, turn.channel) for turn in self.turns.values()} - self._late:
            self._final_words[key] = self.words_ms, self._words_until(key, self.words_ms)

    def _words_until(self, key: tuple[str, int], through_ms: int) -> list[Word]:
        return [word for word in self.words(*key) if word[1] <= through_ms]

    def _check_final_words(self) -> None:
        """Words that were final are as they were."""
        for key, (through_ms, words) in self._final_words.items():
            now = self._words_until(key, through_ms)
            self._expect(key in self._late or now == words, f"final words of {key} changed: {words} to {now}")

    def _check_insights(self, insights: pb.LiveInsights) -> None:
        self._insights = insights
        known = {turn.speaker_id for turn in self.turns.values()}
        for speaker in insights.speakers:
            self._expect(speaker.speaker_id in known, f"insights of {speaker.alias}, who has no turn")

    def _warning(self, warning: pb.Warning) -> None:
        self.warnings.append(warning)
        if warning.code == pb.WARNING_CODE_LATE_AUDIO:
            self._late.add((warning.track_id, warning.channel))

    def _track(self, change: pb.LiveTrackChange) -> None:
        """Check that a track that has ended stays so."""
        track = change.track
        self._expect(track.track_id not in self._ended or track.ended, f"{track.track_id} goes on after its end")
        if track.ended:
            self._ended.add(track.track_id)

    def _alert(self, alert: rules_pb2.LiveAlert) -> None:
        before = self.alerts.get(alert.alert_id)
        name = f"alert {alert.alert_id} ({alert.rule_id}, {rules_pb2.LiveAlertState.Name(alert.state)})"
        if before is not None:
            same = (before.rule_id, before.phrase, before.track_id) == (alert.rule_id, alert.phrase, alert.track_id)
            self._expect(same, f"{name} was another: {before}")
            self._expect(before.state == rules_pb2.LIVE_ALERT_STATE_PROVISIONAL, f"{name} is told again")
            self._expect(alert.state != rules_pb2.LIVE_ALERT_STATE_PROVISIONAL, f"{name} is provisional again")
        if alert.segment_id:
            self._expect(alert.segment_id in self.turns, f"{name} of the unknown segment {alert.segment_id}")
        self._expect(0 <= alert.start_ms <= alert.end_ms, f"{name}: times")
        self.alerts[alert.alert_id] = alert

    def _finish(self, finished: pb.LiveFinished) -> None:
        self._check_final_words()
        self.finished = finished
        left = [turn for turn in self.turns.values() if turn.state in (PARTIAL, STABLE)]
        self._expect(not left, f"neither final nor retracted at the end: {left}")
        provisional = [a for a in self.alerts.values() if a.state == rules_pb2.LIVE_ALERT_STATE_PROVISIONAL]
        self._expect(finished.status != "ready" or not provisional, f"provisional at the end: {provisional}")
        self._expect(not self._promised, f"speaker revisions without a turn: {self._promised}")


def _letters(words: list[str]) -> list[str]:
    """Words without what sentences add."""
    return [letters for word in words if (letters := "".join(c for c in word.lower() if c.isalnum()))]
