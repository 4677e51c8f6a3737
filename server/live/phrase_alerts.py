"""Alerts of phrases that are said: a pure function of the events that clients are told.

Alerts are stored in the same write as the turns that contain the phrase, so that a crash neither loses one nor tells it
twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from server.conversation import PLACEHOLDER
from server.live.rules import LiveRule, RuleKind
from server.live.spoken_phrases import MAX_LENGTH_MS, Phrase, PhraseFinder, SpokenPhrase, tokens_of
from server.live.told_alerts import FINAL, PROVISIONAL, WITHDRAWN, ToldAlerts

# A phrase said again on a track so soon, milliseconds, is the same occurrence: words move when they become final.
REPEATED_MS = 10_000
Track = tuple[str, int]
"""Id and channel."""


class PhraseAlerts:
    """Find the phrases of a meeting's rules in its turns."""

    def __init__(self, rules: Sequence[LiveRule], told: ToldAlerts) -> None:
        self._rules = [rule for rule in rules if rule.kind is RuleKind.PHRASE]
        self._told = told
        self._finder = PhraseFinder(
            [
                Phrase(place, text, tokens_of(text))
                for place, rule in enumerate(self._rules)
                for text in {tokens_of(text): text for text in reversed(rule.phrases)}.values()
            ]
        )
        self._turns: defaultdict[Track, TrackTurns] = defaultdict(TrackTurns)
        # By rule, phrase and track; in the order of time.
        self._occurrences: defaultdict[tuple[str, str, Track], list[rules_pb2.LiveAlert]] = defaultdict(list)
        self._pending: dict[int, rules_pb2.LiveAlert] = {}  # provisional ones, by their id
        self._full: set[int] = set()  # rules that have told as many alerts as they may, by their places
        self._late: set[Track] = set()  # tracks of which the watermark says nothing
        self._words_final_ms = 0

    def restore(self, events: Iterable[pb.LiveEvent], alerts: Iterable[rules_pb2.LiveAlert]) -> None:
        """Restore turns and alerts from stored events."""
        if self._rules:
            self._hear(events)
            for alert in alerts:
                if alert.kind == rules_pb2.LIVE_RULE_KIND_PHRASE:
                    self._record(alert)

    def follow(self, events: Iterable[pb.LiveEvent]) -> list[pb.LiveEvent]:
        """Return the alerts that follow from events, to be stored with them."""
        if not self._rules:
            return []
        spans = self._hear(events)
        for alert in self._pending.values():
            track = _track_of(alert)
            if track not in self._late and alert.end_ms <= self._words_final_ms:
                start_ms, end_ms = spans.get(track, (alert.start_ms, alert.end_ms))
                spans[track] = min(start_ms, alert.start_ms - REPEATED_MS), max(end_ms, alert.end_ms + REPEATED_MS)
        alerts = [
            alert for track, (start_ms, end_ms) in spans.items() for alert in self._changes(track, start_ms, end_ms)
        ]
        self._drop_full()
        return [pb.LiveEvent(alert=alert) for alert in alerts]

    def _drop_full(self) -> None:
        """Look no more for phrases of rules that have told as many alerts as they may."""
        pending = {alert.rule_id for alert in self._pending.values()}
        dropped = {place for place in self._full if self._rules[place].id not in pending}
        if dropped:
            self._full -= dropped
            self._finder = self._finder.without(dropped)

    def _hear(self, events: Iterable[pb.LiveEvent]) -> dict[Track, tuple[int, int]]:
        """Adopt events, and return the span of each track in which turns have changed, milliseconds."""
        changed: dict[Track, tuple[int, int]] = {}
        for event in events:
            kind = event.WhichOneof("event")
            if kind == "watermark":
                self._words_final_ms = event.watermark.words_final_through_ms
            elif kind == "warning" and event.warning.code == pb.WARNING_CODE_LATE_AUDIO:
                self._late.add((event.warning.track_id, event.warning.channel))
            elif kind == "turn":
                track = event.turn.track_id, event.turn.channel
                for turn in self._turns[track].replace(event.turn):
                    # Words may reach out of their turn.
                    first_ms = min([turn.start_ms, *(word.start_ms for word in turn.words[:1])])
                    last_ms = max([turn.end_ms, *(word.end_ms for word in turn.words[-1:])])
                    start_ms, end_ms = changed.get(track, (first_ms, last_ms))
                    changed[track] = min(start_ms, first_ms), max(end_ms, last_ms)
        return changed

    def _changes(self, track: Track, start_ms: int, end_ms: int) -> Iterator[rules_pb2.LiveAlert]:
        """Yield new alerts in a span of a track, and what became of provisional ones in it."""
        found: defaultdict[int, list[SpokenPhrase]] = defaultdict(list)  # by the alert that stands for it
        for spoken in self._find(track, start_ms, end_ms):
            known = self._find_told(track, spoken)
            if known is None:
                alert = self._told.tell(self._alert(track, spoken))
                if alert is not None:
                    self._record(alert)
                    yield alert
                else:
                    self._full.add(spoken.phrase.rule)
            else:
                found[known.alert_id].append(spoken)
        for alert in self._redacted(track, start_ms, end_ms):
            revised = rules_pb2.LiveAlert()
            revised.CopyFrom(alert)
            revised.state, revised.phrase, revised.text = WITHDRAWN, "", "What was said is redacted."
            yield self._revise(alert, revised)
        for alert in list(self._pending.values()):
            if _track_of(alert) != track or alert.start_ms > end_ms or alert.end_ms < start_ms:
                continue
            final = next((spoken for spoken in found[alert.alert_id] if spoken.final), None)
            if final is not None:
                revised = self._alert(track, final)
            elif not found[alert.alert_id] and self._are_words_final(track, alert):
                revised = rules_pb2.LiveAlert()
                revised.CopyFrom(alert)
                revised.state, revised.text = WITHDRAWN, f"“{alert.phrase}” was not said after all."
            else:
                continue
            yield self._revise(alert, revised)

    def _revise(self, alert: rules_pb2.LiveAlert, revised: rules_pb2.LiveAlert) -> rules_pb2.LiveAlert:
        revised.alert_id = alert.alert_id
        self._told.revise(revised)
        self._record(revised)
        return revised

    def _redacted(self, track: Track, start_ms: int, end_ms: int) -> list[rules_pb2.LiveAlert]:
        """Return the alerts in a span of a track whose phrase is redacted since."""
        if not self._has_placeholder(track, start_ms, end_ms):
            return []
        return [
            alert
            for (_, _, of), alerts in self._occurrences.items()
            if of == track
            for alert in alerts
            if alert.start_ms <= end_ms
            and alert.end_ms >= start_ms
            and self._has_placeholder(track, alert.start_ms, alert.end_ms)
            and not self._is_said(track, alert)
        ]

    def _has_placeholder(self, track: Track, start_ms: int, end_ms: int) -> bool:
        """Return whether something is redacted in a span of a track."""
        return any(
            word.start_ms <= end_ms and word.end_ms >= start_ms and PLACEHOLDER.search(word.text)
            for turn in self._turns[track].overlapping(start_ms - MAX_LENGTH_MS, end_ms + MAX_LENGTH_MS)
            for word in turn.words
        )

    def _is_said(self, track: Track, alert: rules_pb2.LiveAlert) -> bool:
        """Return whether the phrase of an alert is said where it was told, or so close that it stands for that too."""
        near = self._find(track, alert.start_ms - REPEATED_MS, alert.end_ms + REPEATED_MS)
        return any(
            (self._rules[spoken.phrase.rule].id, spoken.phrase.text) == (alert.rule_id, alert.phrase)
            and abs(spoken.start_ms - alert.start_ms) <= REPEATED_MS
            for spoken in near
        )

    def _find(self, track: Track, start_ms: int, end_ms: int) -> list[SpokenPhrase]:
        """Return what is said in a span of a track, by time."""
        by_speaker: defaultdict[str, list[pb.LiveTurn]] = defaultdict(list)
        for turn in self._turns[track].overlapping(start_ms - MAX_LENGTH_MS, end_ms + MAX_LENGTH_MS):
            by_speaker[turn.speaker_id].append(turn)
        final_ms = -1 if track in self._late else self._words_final_ms
        found = [
            spoken
            for turns in by_speaker.values()
            for spoken in self._finder.find(turns, final_ms)
            if spoken.end_ms >= start_ms
            and spoken.start_ms <= end_ms
            and _may_say(self._rules[spoken.phrase.rule], spoken.turn)
        ]
        return sorted(found, key=lambda spoken: (spoken.start_ms, spoken.phrase.rule, spoken.phrase.text))

    def _find_told(self, track: Track, spoken: SpokenPhrase) -> rules_pb2.LiveAlert | None:
        """Return the alert that stands for an occurrence already: the nearest one, provisional or final."""
        occurrences = self._occurrences[self._rules[spoken.phrase.rule].id, spoken.phrase.text, track]
        first = bisect_left(occurrences, spoken.start_ms - REPEATED_MS, key=_start_ms)
        near = occurrences[first : bisect_right(occurrences, spoken.start_ms + REPEATED_MS, key=_start_ms)]
        return min(near, key=lambda alert: abs(alert.start_ms - spoken.start_ms), default=None)

    def _are_words_final(self, track: Track, alert: rules_pb2.LiveAlert) -> bool:
        if track not in self._late:
            return alert.end_ms <= self._words_final_ms
        near = self._turns[track].overlapping(alert.start_ms, alert.end_ms)
        return all(turn.state == pb.LIVE_TURN_STATE_FINAL for turn in near)

    def _record(self, alert: rules_pb2.LiveAlert) -> None:
        """Adopt the last event of an alert."""
        # The phrase is not said any more where it is redacted.
        keys = [key for key in self._occurrences if (key[0], key[2]) == (alert.rule_id, _track_of(alert))]
        for key in keys if not alert.phrase else [(alert.rule_id, alert.phrase, _track_of(alert))]:
            occurrences = self._occurrences[key]
            occurrences[:] = [told for told in occurrences if told.alert_id != alert.alert_id]
        if alert.state != WITHDRAWN:
            insort(self._occurrences[alert.rule_id, alert.phrase, _track_of(alert)], alert, key=_start_ms)
        self._pending.pop(alert.alert_id, None)
        if alert.state == PROVISIONAL:
            self._pending[alert.alert_id] = alert

    def _alert(self, track: Track, spoken: SpokenPhrase) -> rules_pb2.LiveAlert:
        turn, phrase = spoken.turn, spoken.phrase.text
        return rules_pb2.LiveAlert(
            state=FINAL if spoken.final else PROVISIONAL,
            rule_id=self._rules[spoken.phrase.rule].id,
            kind=rules_pb2.LIVE_RULE_KIND_PHRASE,
            speaker_id=turn.speaker_id,
            alias=turn.alias,
            track_id=track[0],
            channel=track[1],
            start_ms=spoken.start_ms,
            end_ms=spoken.end_ms,
            phrase=phrase,
            segment_id=turn.segment_id,
            text=f"{turn.alias} said “{phrase}”.",
        )


class TrackTurns:
    """The turns of one track as they were told, by time."""

    def __init__(self) -> None:
        self._by_id: dict[int, pb.LiveTurn] = {}
        self._starts: list[tuple[int, int]] = []  # start, milliseconds, and segment id
        self._longest_ms = 0

    def replace(self, turn: pb.LiveTurn) -> list[pb.LiveTurn]:
        """Adopt a revision of a turn; return it with the one before it, as far as they exist."""
        before = self._by_id.pop(turn.segment_id, None)
        if before is not None:
            del self._starts[bisect_left(self._starts, (before.start_ms, before.segment_id))]
        now = turn if turn.state != pb.LIVE_TURN_STATE_RETRACTED else None
        if now is not None:
            self._by_id[now.segment_id] = now
            insort(self._starts, (now.start_ms, now.segment_id))
            self._longest_ms = max(self._longest_ms, now.end_ms - now.start_ms)
        return [known for known in (before, now) if known is not None]

    def overlapping(self, start_ms: int, end_ms: int) -> list[pb.LiveTurn]:
        """Return the turns that overlap a span, milliseconds."""
        first = bisect_left(self._starts, (start_ms - self._longest_ms, 0))
        last = bisect_left(self._starts, (end_ms + 1, 0))
        turns = (self._by_id[id_] for _, id_ in self._starts[first:last])
        return [turn for turn in turns if turn.end_ms >= start_ms]


def _start_ms(alert: rules_pb2.LiveAlert) -> int:
    return alert.start_ms


def _track_of(alert: rules_pb2.LiveAlert) -> Track:
    return alert.track_id, alert.channel


def _may_say(rule: LiveRule, turn: pb.LiveTurn) -> bool:
    return not rule.said_by or rule.said_by.casefold() == turn.alias.casefold()
