"""Alerts of measures of the conversation so far: each occurrence is told once.

An occurrence is found in the timeline as it is known, and told unless an alert stands for it already. So there is no
state beside the stored alerts, and a restart neither loses one nor tells it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, pairwise

from meetra.v1 import rules_pb2

from server.conversation import Interval
from server.insights import MINIMUM_SPEECH_S, Timeline, Window, mean_polarity, sentiment_score
from server.live.rules import LiveRule, RuleKind
from server.live.told_alerts import FINAL, ToldAlerts

S = 1_000_000
# What ended so long before what was looked at last is not told any more, microseconds: what is known of the past may
# change.
HINDSIGHT_US = 120 * S
# How often shares and sentiment of a window are looked at, and from how long ago after a restart, microseconds.
STEP_US, LOOK_BACK_US = 10 * S, 3600 * S


@dataclass(frozen=True, slots=True)
class KnownConversation:
    """What is known of a meeting so far."""

    timeline: Timeline
    speech: tuple[Interval, ...]
    """When anybody speaks, unknown speakers included."""
    through_us: int
    """Up to where turns are known."""
    words_through_us: int
    """Up to where words are known."""
    expected: Mapping[int, int]
    """Participants who count before they have spoken: since when, microseconds, by speaker."""
    open_since_us: Mapping[int, int]
    """Who may still be speaking: the start of the turn, microseconds, by speaker."""
    left_out: Set[int]
    """Speakers whose speech is known too late to say that they were not heard."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a rule holds."""

    rule: LiveRule
    speaker: int | None
    """None: it is about the meeting."""
    start_us: int
    end_us: int
    value: float


@dataclass(frozen=True, slots=True)
class NamedSpeaker:
    """A speaker as clients know them."""

    id: str
    alias: str
    track_id: str = ""
    """A participant's track; empty for others."""
    channel: int = 0


class MetricAlerts:
    """Find what the rules of a meeting watch for in its conversation."""

    def __init__(self, rules: Sequence[LiveRule], told: ToldAlerts, name: Callable[[int], NamedSpeaker]) -> None:
        """``name``: names a speaker by their number."""
        self.rules = tuple(rule for rule in rules if rule.kind is not RuleKind.PHRASE)
        self._told, self._name = told, name
        self._looked_at_us = 0
        self._windows = {rule.id: WatchedWindows(rule) for rule in self.rules if rule.window_s}

    def restore(self, through_us: int) -> None:
        """Go on from where clients had been told turns up to ``through_us``."""
        self._looked_at_us = max(self._looked_at_us, through_us)

    def find(self, known: KnownConversation) -> list[Occurrence]:
        """Return the occurrences that no alert stands for, by their ends."""
        since_us = self._looked_at_us - HINDSIGHT_US
        found = [
            occurrence
            for rule in self.rules
            for occurrence in self._occurrences(rule, known, since_us)
            if rule.window_s or not self._is_told(occurrence)
        ]
        self._looked_at_us = max(self._looked_at_us, known.through_us)
        return sorted(found, key=lambda occurrence: occurrence.end_us)

    def tell(self, occurrences: Iterable[Occurrence]) -> list[rules_pb2.LiveAlert]:
        """Return the alerts of occurrences, recorded as told."""
        alerts = (self._told.tell(self._alert(occurrence)) for occurrence in occurrences)
        return [alert for alert in alerts if alert is not None]

    def _occurrences(self, rule: LiveRule, known: KnownConversation, since_us: int) -> Iterator[Occurrence]:
        if rule.kind is RuleKind.MONOLOGUE:
            return find_monologues(rule, known, since_us)
        if rule.kind is RuleKind.NOT_HEARD:
            return find_not_heard(rule, known, since_us)
        if rule.kind is RuleKind.SILENCE:
            return find_silences(rule, known, since_us)
        return self._windows[rule.id].find(known, since_us, self._last_told(rule))

    def _last_told(self, rule: LiveRule) -> Callable[[int | None], int | None]:
        """Return a function that returns the end of the last alert of a speaker, microseconds; None without one."""
        ends = {alert.speaker_id: 1000 * alert.end_ms for alert in self._told.of(rule.id)}
        return lambda speaker: ends.get("" if speaker is None else self._name(speaker).id)

    def _is_told(self, occurrence: Occurrence) -> bool:
        """Return whether an alert stands for an occurrence: more than half of what it tells of belongs to it.

        A monologue stays one where it turns out to be somebody else's.
        """
        about_speaker = occurrence.rule.kind is RuleKind.NOT_HEARD
        id_ = self._name(occurrence.speaker).id if about_speaker and occurrence.speaker is not None else ""
        start_ms, end_ms = occurrence.start_us // 1000, occurrence.end_us // 1000
        for alert in reversed(self._told.of(occurrence.rule.id)):
            if alert.end_ms < start_ms - HINDSIGHT_US // 1000:
                return False
            common_ms = min(end_ms, alert.end_ms) - max(start_ms, alert.start_ms)
            if 2 * common_ms > alert.end_ms - alert.start_ms and (not about_speaker or alert.speaker_id == id_):
                return True
        return False

    def _alert(self, occurrence: Occurrence) -> rules_pb2.LiveAlert:
        rule, speaker = occurrence.rule, occurrence.speaker
        named = NamedSpeaker("", "") if speaker is None else self._name(speaker)
        return rules_pb2.LiveAlert(
            state=FINAL,
            rule_id=rule.id,
            kind=rules_pb2.LiveRuleKind.Value(f"LIVE_RULE_KIND_{rule.kind.name}"),
            speaker_id=named.id,
            alias=named.alias,
            track_id=named.track_id,
            channel=named.channel,
            start_ms=occurrence.start_us // 1000,
            end_ms=occurrence.end_us // 1000,
            value=occurrence.value,
            text=_sentence(occurrence, named.alias),
        )


def find_monologues(rule: LiveRule, known: KnownConversation, since_us: int) -> Iterator[Occurrence]:
    """Yield the turns in which the speaker has spoken for longer than the bound."""
    for turn in known.timeline.turns:
        if turn.end_us >= since_us and turn.end_us - turn.start_us > rule.bound * S:
            spoken_us = known.timeline.speaking_us(turn.speaker, Window(turn.start_us, turn.end_us))
            if spoken_us > rule.bound * S:
                yield Occurrence(rule, turn.speaker, turn.start_us, turn.end_us, round(spoken_us / S, 1))


def find_not_heard(rule: LiveRule, known: KnownConversation, since_us: int) -> Iterator[Occurrence]:
    """Yield the times in which somebody who takes part was not heard for longer than the bound."""
    for speaker in sorted({*known.timeline.speakers, *known.expected} - known.left_out):
        speech = known.timeline.speech.get(speaker, ())
        expected = [known.expected[speaker]] if speaker in known.expected else []
        through_us = min(known.through_us, known.open_since_us.get(speaker, known.through_us))
        for gap in _gaps(speech, expected, through_us, since_us):
            if gap.end_us - gap.start_us > rule.bound * S:
                yield Occurrence(rule, speaker, *gap, round((gap.end_us - gap.start_us) / S, 1))


def find_silences(rule: LiveRule, known: KnownConversation, since_us: int) -> Iterator[Occurrence]:
    """Yield the times after the first speech in which nobody speaks for longer than the bound."""
    through_us = min([known.through_us, *known.open_since_us.values()])
    for gap in _gaps(known.speech, [], through_us, since_us):
        if gap.end_us - gap.start_us > rule.bound * S:
            yield Occurrence(rule, None, *gap, round((gap.end_us - gap.start_us) / S, 1))


def _gaps(speech: Sequence[Interval], beginning: Sequence[int], through_us: int, since_us: int) -> Iterator[Interval]:
    """Yield the gaps that end after ``since_us``, the last one first: between spans of speech, and before now.

    What is known of some tracks after ``through_us`` does not count: others may have spoken there.
    """
    ends = [Interval(through_us, through_us)]
    for after, before in pairwise(chain(ends, reversed(speech), (Interval(us, us) for us in beginning))):
        if after.start_us < since_us:
            return
        yield Interval(before.end_us, min(after.start_us, through_us))


class WatchedWindows:
    """The windows that a rule looks at, one every 10 s of the meeting."""

    def __init__(self, rule: LiveRule) -> None:
        self._rule = rule
        self._next_us = rule.window_s * S
        self._within: set[int | None] = set()
        """Who was within the bound since the last alert about them; None stands for the meeting."""

    def find(
        self, known: KnownConversation, since_us: int, last_told_us: Callable[[int | None], int | None]
    ) -> Iterator[Occurrence]:
        """Yield the windows that exceed the bound, in which it was not exceeded all the time since the last alert.

        Args:
            since_us: windows that end before are not told any more.
            last_told_us: returns the end of the last alert about a speaker, microseconds.
        """
        told: dict[int | None, int] = {}
        steps_back = max(0, since_us - LOOK_BACK_US - self._next_us) // STEP_US
        self._next_us += steps_back * STEP_US
        sees_words = self._rule.kind is RuleKind.SENTIMENT
        while self._next_us <= (min(known.through_us, known.words_through_us) if sees_words else known.through_us):
            window = Window(self._next_us - self._rule.window_s * S, self._next_us)
            self._next_us += STEP_US
            for speaker, value, exceeds in _levels(self._rule, known.timeline, window):
                last_us = told.get(speaker, last_told_us(speaker))
                if not exceeds:
                    # After a restart windows before the last alert are looked at again.
                    if last_us is None or window.end_us > last_us:
                        self._within.add(speaker)
                elif last_us is None or (speaker in self._within and window.start_us >= last_us):
                    self._within.discard(speaker)
                    if window.end_us >= since_us:
                        told[speaker] = window.end_us
                        yield Occurrence(self._rule, speaker, *window, value)


def _levels(rule: LiveRule, timeline: Timeline, window: Window) -> Iterator[tuple[int | None, float, bool]]:
    """Yield (speaker, value, whether it exceeds the bound); nothing where too little is said to tell."""
    if timeline.speech_us(window) < MINIMUM_SPEECH_S * S:
        return
    if rule.kind is RuleKind.SENTIMENT:
        polarity = mean_polarity(timeline, window)
        if polarity is not None:
            yield None, sentiment_score(polarity), sentiment_score(polarity) < rule.bound
        return
    speaking = {speaker: timeline.speaking_us(speaker, window) for speaker in timeline.speakers}
    total = sum(speaking.values())
    for speaker, spoken_us in speaking.items():
        percent = 100 * spoken_us / total
        yield speaker, round(percent, 1), percent > rule.bound


def _sentence(occurrence: Occurrence, alias: str) -> str:
    rule, value = occurrence.rule, occurrence.value
    texts = {
        RuleKind.MONOLOGUE: f"{alias} has spoken for {_duration(value)}, and nobody else had the floor.",
        RuleKind.NOT_HEARD: f"{alias} was not heard for {_duration(value)}.",
        RuleKind.SILENCE: f"Nobody spoke for {_duration(value)}.",
        RuleKind.SENTIMENT: f"The sentiment of {_duration(rule.window_s)} is {value:g} of 100.",
        RuleKind.SPEAKING_SHARE: f"{alias} had {value:g} % of the speaking time of {_duration(rule.window_s)}.",
    }
    return texts[rule.kind]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
