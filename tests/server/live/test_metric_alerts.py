"""Alerts of measures: each occurrence once, with its figures, also after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from server.conversation import Interval, Segment, merge_intervals
from server.insights import TimelineSentence
from server.live.metric_alerts import KnownConversation, MetricAlerts, NamedSpeaker
from server.live.rolling_alerts import speech_timeline
from server.live.rules import LiveRule, RuleKind
from server.live.told_alerts import ToldAlerts

S = 1_000_000
Speech = tuple[int, float, float]
MONOLOGUE = LiveRule("long", RuleKind.MONOLOGUE, 60)
NOT_HEARD = LiveRule("quiet", RuleKind.NOT_HEARD, 60)
SILENCE = LiveRule("silence", RuleKind.SILENCE, 30)
SHARE = LiveRule("share", RuleKind.SPEAKING_SHARE, 70, 60)
SENTIMENT = LiveRule("mood", RuleKind.SENTIMENT, 40, 60)


def named(number: int) -> NamedSpeaker:
    return NamedSpeaker(f"id{number}", f"P{number}", f"t{number}", 0)


def known(
    speech: Sequence[Speech],
    through_s: float,
    *,
    expected: dict[int, int] | None = None,
    speaking: dict[int, float] | None = None,
    left_out: Sequence[int] = (),
    polarity: Sequence[tuple[float, float, float]] = (),
    words_s: float | None = None,
) -> KnownConversation:
    """Who spoke from when to when, seconds; and sentences with their polarity."""
    segments = [
        Segment(place, speaker, round(start * S), round(end * S)) for place, (speaker, start, end) in enumerate(speech)
    ]
    through_us = round(through_s * S)
    timeline = speech_timeline(segments, through_us)
    sentences = [TimelineSentence(1, round(a * S), round(b * S), value, (), (), "en") for a, b, value in polarity]
    return KnownConversation(
        timeline=replace(timeline, sentences=tuple(sentences)),
        speech=merge_intervals(Interval(one.start_us, one.end_us) for one in segments),
        through_us=through_us,
        words_through_us=through_us if words_s is None else round(words_s * S),
        expected=expected or {},
        open_since_us={speaker: round(start * S) for speaker, start in (speaking or {}).items()},
        left_out=set(left_out),
    )


class Meeting:
    """A meeting with rules, and what is told of it."""

    def __init__(self, *rules: LiveRule) -> None:
        self._rules = rules
        self._alerts = MetricAlerts(rules, ToldAlerts(), named)
        self.told: list[rules_pb2.LiveAlert] = []

    def tell(self, conversation: KnownConversation) -> list[rules_pb2.LiveAlert]:
        alerts = self._alerts.tell(self._alerts.find(conversation))
        self.told += alerts
        return alerts

    def says(self, conversation: KnownConversation) -> list[tuple[str, int, int, float]]:
        """Alias, start and end in seconds, and value of what is told."""
        return [(a.alias, a.start_ms // 1000, a.end_ms // 1000, a.value) for a in self.tell(conversation)]

    def restart(self, through_s: float) -> None:
        """Another process goes on, after clients were told turns up to a moment."""
        told = ToldAlerts()
        told.restore(pb.LiveEvent(alert=alert) for alert in self.told)
        self._alerts = MetricAlerts(self._rules, told, named)
        self._alerts.restore(round(through_s * S))


def test_a_monologue_is_told_when_it_passes_the_bound_and_again_only_after_another_turn() -> None:
    meeting = Meeting(MONOLOGUE)
    assert meeting.says(known([(1, 0, 60)], 60)) == []
    (alert,) = meeting.tell(known([(1, 0, 61)], 61))
    assert alert == rules_pb2.LiveAlert(
        alert_id=1,
        state=rules_pb2.LIVE_ALERT_STATE_FINAL,
        rule_id="long",
        kind=rules_pb2.LIVE_RULE_KIND_MONOLOGUE,
        speaker_id="id1",
        alias="P1",
        track_id="t1",
        end_ms=61_000,
        value=61,
        text="P1 has spoken for 1 min 1 s, and nobody else had the floor.",
    )
    # A back-channel does not end it, a turn does.
    assert meeting.says(known([(1, 0, 150), (2, 100, 100.6)], 150)) == []
    two = [(1, 0, 150), (2, 150, 155), (1, 155, 220)]
    assert meeting.says(known([*two[:2], (1, 155, 200)], 200)) == []
    assert meeting.says(known(two, 220)) == [("P1", 155, 220, 65.0)]
    assert meeting.says(known([*two, (1, 221, 400)], 400)) == []


def test_pauses_neither_count_in_a_monologue_nor_end_it() -> None:
    meeting = Meeting(MONOLOGUE)
    assert meeting.says(known([(1, 0, 40), (1, 90, 109)], 109)) == []
    assert meeting.says(known([(1, 0, 40), (1, 90, 111)], 111)) == [("P1", 0, 111, 61.0)]


def test_a_monologue_that_turns_out_to_be_somebody_elses_is_not_told_again() -> None:
    meeting = Meeting(MONOLOGUE)
    assert len(meeting.tell(known([(1, 0, 70)], 70))) == 1
    assert meeting.says(known([(2, 0.5, 75)], 75)) == []
    # One that overlaps the end of another is another.
    assert meeting.says(known([(2, 0, 75), (1, 72, 140)], 140)) == [("P1", 72, 140, 68.0)]


def test_who_was_not_heard_is_told_once_until_heard() -> None:
    meeting = Meeting(NOT_HEARD)
    talk = [(1, 0, 10), (2, 10, 200)]
    assert meeting.says(known(talk, 70)) == []
    (alert,) = meeting.tell(known(talk, 71))
    assert (alert.speaker_id, alert.track_id, alert.text) == ("id1", "t1", "P1 was not heard for 1 min 1 s.")
    assert meeting.says(known(talk, 150)) == []
    heard = [*talk, (1, 150, 151)]
    assert meeting.says(known(heard, 210)) == []
    assert meeting.says(known(heard, 212)) == [("P1", 151, 212, 61.0)]


def test_a_silence_that_ended_before_anybody_looked_is_told_all_the_same() -> None:
    meeting = Meeting(NOT_HEARD, SILENCE)
    assert meeting.says(known([(1, 0, 10), (1, 80, 90)], 90)) == [("P1", 10, 80, 70.0), ("", 10, 80, 70.0)]


def test_participants_with_a_name_count_before_they_have_spoken() -> None:
    meeting = Meeting(NOT_HEARD)
    talk = [(1, 0, 300)]
    assert meeting.says(known(talk, 60, expected={1: 0, 2: 0, 3: 30 * S})) == []
    assert meeting.says(known(talk, 61, expected={1: 0, 2: 0, 3: 30 * S})) == [("P2", 0, 61, 61.0)]
    # Their audio comes after the fact.
    assert meeting.says(known(talk, 95, expected={1: 0, 2: 0, 3: 30 * S}, left_out=[3])) == []
    assert meeting.says(known(talk, 95, expected={1: 0, 2: 0, 3: 30 * S})) == [("P3", 30, 95, 65.0)]
    # Who only listens without a name is nobody.
    assert meeting.says(known(talk, 300, expected={1: 0})) == []


def test_what_is_known_of_one_track_says_nothing_of_another_that_is_behind() -> None:
    meeting = Meeting(NOT_HEARD, SILENCE)
    # 1 may have spoken since 12 s, where that track's analysis stands.
    assert meeting.says(known([(1, 0, 10), (2, 90, 100)], 12)) == []
    assert meeting.says(known([(1, 0, 60), (2, 90, 100)], 91)) == []


def test_who_may_still_be_speaking_is_not_silent() -> None:
    meeting = Meeting(NOT_HEARD, SILENCE)
    talk = [(1, 0, 2), (2, 0, 10)]
    # The end of a turn that grows is told later than it is heard.
    assert meeting.says(known(talk, 100, speaking={1: 0})) == [("P2", 10, 100, 90.0)]
    assert meeting.says(known([*talk, (1, 2, 90)], 121)) == [("", 90, 121, 31.0)]


def test_silence_begins_after_the_first_speech_whoever_speaks() -> None:
    meeting = Meeting(SILENCE)
    assert meeting.says(known([], 300)) == []
    assert meeting.says(known([(0, 300, 305)], 330)) == []
    (alert,) = meeting.tell(known([(0, 300, 305)], 336))
    assert (alert.speaker_id, alert.alias, alert.track_id, alert.start_ms, alert.value) == ("", "", "", 305_000, 31)
    assert alert.text == "Nobody spoke for 31 s."
    assert meeting.says(known([(0, 300, 305)], 400)) == []
    assert meeting.says(known([(0, 300, 305), (1, 401, 402)], 440)) == [("", 402, 440, 38.0)]


def test_a_share_of_a_window_is_told_again_only_after_it_was_lower_and_for_other_speech() -> None:
    meeting = Meeting(SHARE)
    assert meeting.says(known([(1, 0, 59)], 59)) == []
    first = [(1, 0, 50), (2, 50, 60)]
    (alert,) = meeting.tell(known(first, 60))
    assert (alert.alias, alert.start_ms, alert.end_ms, alert.value) == ("P1", 0, 60_000, 83.3)
    assert alert.text == "P1 had 83.3 % of the speaking time of 1 min."
    # It stays above: nothing more.
    assert meeting.says(known([*first, (1, 60, 110), (2, 110, 120)], 120)) == []
    # Lower from 140 s on, above again at 210 s: the window begins after what was told.
    later = [*first, (1, 60, 110), (2, 110, 150), (1, 150, 210)]
    assert meeting.says(known(later, 210)) == [("P1", 140, 200, 83.3)]


def test_a_share_that_was_lower_in_between_is_told_only_for_other_speech() -> None:
    meeting = Meeting(replace(SHARE, window_s=30))
    talk = [(1, 0, 30), (2, 30, 42), (1, 42, 100)]
    assert meeting.says(known(talk[:1], 30)) == [("P1", 0, 30, 100.0)]
    # At 40 s it is lower; of 20 to 50 s and 30 to 60 s, too. Of 40 to 70 s it is higher again.
    assert meeting.says(known(talk, 60)) == []
    assert meeting.says(known(talk, 100)) == [("P1", 40, 70, 93.3)]
    # Of 10 to 40 s it is lower, and of 20 to 50 s higher; but a part of that was told.
    other, talk = Meeting(replace(SHARE, window_s=30)), [(1, 0, 10), (2, 10, 18), (1, 18, 39), (2, 39, 40), (1, 40, 60)]
    assert other.says(known(talk, 50)) == [("P1", 0, 30, 73.3)]
    assert other.says(known(talk, 60)) == [("P1", 30, 60, 96.7)]


def test_the_share_of_too_little_speech_is_nothing() -> None:
    assert Meeting(SHARE).says(known([(1, 0, 9)], 300)) == []


def test_sentiment_is_told_when_it_falls_and_waits_for_words() -> None:
    meeting = Meeting(SENTIMENT)
    talk = [(1, 0, 400)]
    good, bad = [(0.0, 60.0, 0.4)], [(60.0, 120.0, -0.6)]
    assert meeting.says(known(talk, 60, polarity=good)) == []
    assert meeting.says(known(talk, 130, polarity=good, words_s=70)) == []
    (alert,) = meeting.tell(known(talk, 130, polarity=[*good, *bad]))
    # At 90 s it is 45; at 100 s, of 20 s with 0.4 and 40 s with -0.6, it is 37.
    assert (alert.start_ms, alert.end_ms, alert.value) == (40_000, 100_000, 37)
    assert alert.text == "The sentiment of 1 min is 37 of 100."
    assert meeting.says(known(talk, 150, polarity=[*good, *bad])) == []
    mixed = [*good, *bad, (120.0, 200.0, 0.5), (200.0, 300.0, -1.0)]
    assert [(start, end) for _, start, end, _ in meeting.says(known(talk, 300, polarity=mixed))] == [(170, 230)]


def test_after_a_restart_nothing_is_told_twice_and_nothing_is_lost() -> None:
    rules = (MONOLOGUE, NOT_HEARD, SILENCE, SHARE)
    talk = [(1, 0, 70), (2, 71, 90), (1, 91, 180), (2, 230, 300), (1, 301, 330), (2, 400, 480)]
    moments = list(range(10, 500, 5))

    def until(end_s: float) -> KnownConversation:
        return known([(who, a, min(b, end_s)) for who, a, b in talk if a < end_s], end_s, expected={1: 0, 3: 0})

    undisturbed = Meeting(*rules)
    for moment in moments:
        undisturbed.tell(until(moment))
    expected = [(a.rule_id, a.speaker_id, a.start_ms, a.end_ms) for a in undisturbed.told]
    assert {rule for rule, *_ in expected} == {"long", "quiet", "silence", "share"}
    for crash in moments:
        meeting = Meeting(*rules)
        for moment in moments:
            meeting.tell(until(moment))
            if moment == crash:
                # What was found last was not stored.
                lost = meeting.tell(until(moment + 5))
                meeting.told = [alert for alert in meeting.told if alert not in lost]
                meeting.restart(moment)
        assert [(a.rule_id, a.speaker_id, a.start_ms, a.end_ms) for a in meeting.told] == expected, crash


def test_what_was_long_ago_is_not_told_where_the_past_turns_out_to_be_another() -> None:
    meeting = Meeting(MONOLOGUE)
    talk = [(2, 0, 30), (1, 30, 65), (2, 65, 70), (1, 70, 75)]
    assert meeting.says(known(talk, 75)) == []
    assert meeting.says(known([*talk, (2, 75, 80)], 400)) == []
    merged = [(1, 0, 65), *talk[2:], (2, 75, 80)]
    assert meeting.says(known(merged, 401)) == []


def test_rules_of_phrases_are_of_no_concern() -> None:
    assert MetricAlerts([LiveRule("p", RuleKind.PHRASE, phrases=("a",))], ToldAlerts(), named).rules == ()
