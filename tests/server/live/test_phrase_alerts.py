"""Alerts of phrases: soon after they are said, once, and corrected where the final words are others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from server.live.phrase_alerts import PhraseAlerts, TrackTurns
from server.live.rules import MAX_ALERTS, LiveRule, RuleKind
from server.live.told_alerts import ToldAlerts

STABLE, FINAL, RETRACTED = pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_FINAL, pb.LIVE_TURN_STATE_RETRACTED
PRICE = LiveRule("price", RuleKind.PHRASE, phrases=("too much", "Discount"))
NAMES = {rules_pb2.LIVE_ALERT_STATE_PROVISIONAL: "?", rules_pb2.LIVE_ALERT_STATE_FINAL: "!"}


class Meeting:
    """What clients are told of a meeting, and the alerts that follow."""

    def __init__(self, *rules: LiveRule) -> None:
        self._rules = rules
        self._alerts = PhraseAlerts(rules, ToldAlerts())
        self.events: list[pb.LiveEvent] = []

    def restart(self) -> None:
        """Another process goes on from what is stored."""
        told = ToldAlerts()
        self._alerts = PhraseAlerts(self._rules, told)
        for event in self.events:
            stored = [pb.LiveEvent.FromString(event.SerializeToString())]
            self._alerts.restore(stored, told.restore(stored))

    def tell(self, *events: pb.LiveEvent) -> list[rules_pb2.LiveAlert]:
        alerts = self._alerts.follow(events)
        self.events += [*events, *alerts]
        return [event.alert for event in alerts]

    def said(self, *events: pb.LiveEvent) -> list[tuple[int, str, int]]:
        """Id with state, phrase and start of the alerts that follow."""
        return [brief(alert) for alert in self.tell(*events)]


def brief(alert: rules_pb2.LiveAlert) -> tuple[int, str, int]:
    return alert.alert_id, alert.phrase + NAMES.get(alert.state, "-"), alert.start_ms


def turn(
    id_: int,
    start_s: float,
    text: str,
    *,
    state: pb.LiveTurnState.ValueType = STABLE,
    speaker: str = "Ana",
    track: str = "mix",
) -> pb.LiveEvent:
    """A turn with half a second a word."""
    start_ms = round(1000 * start_s)
    words = [
        pb.LiveWord(text=word, start_ms=start_ms + 500 * place, end_ms=start_ms + 500 * place + 400)
        for place, word in enumerate(text.split())
    ]
    end_ms = words[-1].end_ms if words else start_ms + 1000
    told = pb.LiveTurn(
        segment_id=id_, state=state, start_ms=start_ms, end_ms=end_ms, words=words, track_id=track, alias=speaker
    )
    told.speaker_id = speaker.lower()
    return pb.LiveEvent(turn=told)


def words_final(seconds: float) -> pb.LiveEvent:
    return pb.LiveEvent(watermark=pb.Watermark(words_final_through_ms=round(1000 * seconds)))


def test_a_phrase_is_told_when_it_is_heard_and_confirmed_when_its_words_are_final() -> None:
    meeting = Meeting(PRICE)
    assert meeting.said(turn(1, 10, "that is too")) == []
    (alert,) = meeting.tell(turn(1, 10, "that is too much for"))
    assert alert == rules_pb2.LiveAlert(
        alert_id=1,
        state=rules_pb2.LIVE_ALERT_STATE_PROVISIONAL,
        rule_id="price",
        kind=rules_pb2.LIVE_RULE_KIND_PHRASE,
        speaker_id="ana",
        alias="Ana",
        track_id="mix",
        start_ms=11_000,
        end_ms=11_900,
        phrase="too much",
        segment_id=1,
        text="Ana said “too much”.",
    )
    # Revisions of the turn and other words tell nothing more.
    assert meeting.said(turn(1, 10, "that is too much for us"), words_final(11)) == []
    assert meeting.said(turn(1, 10.3, "that is too much for us"), words_final(13)) == [(1, "too much!", 11_300)]
    assert meeting.said(turn(1, 10.3, "that is too much for us", state=FINAL), words_final(20)) == []


def test_a_phrase_of_final_words_is_told_as_final_at_once() -> None:
    meeting = Meeting(PRICE)
    assert meeting.said(turn(1, 10, "a discount", state=FINAL)) == [(1, "Discount!", 10_500)]
    assert meeting.said(turn(2, 30, "a discount"), words_final(40)) == [(2, "Discount!", 30_500)]


def test_what_was_not_said_after_all_is_withdrawn_and_may_be_said_later() -> None:
    meeting = Meeting(PRICE)
    assert meeting.said(turn(1, 10, "far too much")) == [(1, "too much?", 10_500)]
    assert meeting.said(turn(1, 10, "for to watch")) == []
    # It comes back while the words are provisional: that is the same alert.
    assert meeting.said(turn(1, 10, "far too much")) == []
    assert meeting.said(turn(1, 10, "for to watch")) == []
    (withdrawn,) = meeting.tell(words_final(12))
    assert brief(withdrawn) == (1, "too much-", 10_500)
    assert withdrawn.text == "“too much” was not said after all."
    assert meeting.said(words_final(14)) == []
    assert meeting.said(turn(2, 15, "too much")) == [(2, "too much?", 15_000)]


def test_a_phrase_that_is_redacted_later_is_withdrawn_and_not_quoted() -> None:
    meeting = Meeting(PRICE, LiveRule("who", RuleKind.PHRASE, phrases=("ada",)))
    told = [turn(1, 10, "ask ada now", state=FINAL), turn(2, 30, "ada said", state=FINAL), turn(3, 60, "ada")]
    assert meeting.said(*told) == [(1, "ada!", 10_500), (2, "ada!", 30_000), (3, "ada?", 60_000)]
    meeting.restart()
    first, third = meeting.tell(turn(1, 10, "ask [NAME] now", state=FINAL), turn(3, 60, "[NAME]"), words_final(70))
    assert (brief(first), brief(third)) == ((1, "-", 10_500), (3, "-", 60_000))
    assert "ada" not in f"{first} {third}"
    meeting.restart()
    again = turn(1, 10, "ask [NAME] now please", state=FINAL), turn(2, 30, "ada said so", state=FINAL)
    assert meeting.said(*again, words_final(90)) == []
    assert meeting.said(turn(4, 100, "ada", state=FINAL)) == [(4, "ada!", 100_000)]


def test_a_turn_that_is_retracted_takes_its_phrase_with_it_unless_another_has_it() -> None:
    meeting = Meeting(PRICE)
    meeting.tell(turn(1, 10, "far too much"), turn(2, 30, "too much"))
    assert meeting.said(turn(1, 10, "", state=RETRACTED), turn(3, 10, "far too much", speaker="Ben")) == []
    assert meeting.said(turn(2, 30, "", state=RETRACTED), words_final(60)) == [
        (1, "too much!", 10_500),
        (2, "too much-", 30_000),
    ]


def test_the_same_phrase_soon_after_is_not_told_again() -> None:
    meeting = Meeting(PRICE)
    text = "too much yes " * 14
    assert [at for _, _, at in meeting.said(turn(1, 0, text))] == [0, 10_500]
    # Another track and another phrase are something else.
    assert meeting.said(turn(2, 1, "too much", track="b")) == [(3, "too much?", 1000)]
    assert meeting.said(turn(3, 22, "discount")) == [(4, "Discount?", 22_000)]


def test_a_phrase_goes_on_in_the_next_turn_of_the_speaker_alone() -> None:
    meeting = Meeting(PRICE)
    assert meeting.said(turn(1, 0, "it is too"), turn(2, 1.2, "yes", speaker="Ben"), turn(3, 2, "much for us")) == [
        (1, "too much?", 1000)
    ]
    assert meeting.said(turn(4, 20, "it is too"), turn(5, 22, "much", speaker="Ben")) == []
    # The second part turns out to be of the same speaker.
    assert meeting.said(turn(5, 22, "much")) == [(2, "too much?", 21_000)]


def test_a_rule_may_be_about_one_speaker() -> None:
    meeting = Meeting(replace(PRICE, said_by="ANA"), replace(PRICE, id="anybody"))
    assert [alert.rule_id for alert in meeting.tell(turn(1, 0, "too much", speaker="Ben"))] == ["anybody"]
    assert [alert.rule_id for alert in meeting.tell(turn(2, 30, "too much"))] == ["price", "anybody"]


def test_phrases_that_differ_in_nothing_that_is_heard_are_one() -> None:
    meeting = Meeting(replace(PRICE, phrases=("Too much!", "too  much")))
    assert meeting.said(turn(1, 0, "too much")) == [(1, "Too much!?", 0)]


def test_the_watermark_says_nothing_of_late_audio() -> None:
    meeting = Meeting(PRICE)
    warning = pb.Warning(code=pb.WARNING_CODE_LATE_AUDIO, track_id="late")
    meeting.tell(words_final(60), pb.LiveEvent(warning=warning))
    assert meeting.said(turn(1, 10, "too much", track="late"), turn(2, 30, "too much", track="late")) == [
        (1, "too much?", 10_000),
        (2, "too much?", 30_000),
    ]
    assert meeting.said(words_final(70)) == []
    assert meeting.said(turn(1, 10, "too much", track="late", state=FINAL)) == [(1, "too much!", 10_000)]
    assert meeting.said(turn(2, 30, "to watch", track="late", state=FINAL)) == [(2, "too much-", 30_000)]


def test_after_a_restart_nothing_is_told_again_and_what_is_provisional_is_settled() -> None:
    meeting = Meeting(PRICE)
    meeting.tell(turn(1, 0, "a discount"), turn(2, 20, "too much"), words_final(10))
    meeting.restart()
    # The engine begins anew: clients are told nothing that they know, or other words.
    assert meeting.said(turn(2, 20.2, "too much")) == []
    assert meeting.said(turn(1, 0, "a discount", state=FINAL)) == []
    assert meeting.said(words_final(30), turn(3, 40, "discount")) == [
        (3, "Discount?", 40_000),
        (2, "too much!", 20_200),
    ]


def test_a_rule_with_as_many_alerts_as_it_may_tell_settles_them_and_tells_no_more() -> None:
    meeting = Meeting(replace(PRICE, phrases=("so",)), replace(PRICE, id="other"))
    for number in range(MAX_ALERTS):
        assert len(meeting.tell(turn(number + 1, 20 * number, "so"))) == 1
    end_s = 20 * MAX_ALERTS
    assert meeting.said(turn(MAX_ALERTS + 1, end_s, "so too much")) == [
        (MAX_ALERTS + 1, "too much?", 1000 * end_s + 500)
    ]
    settled = meeting.tell(words_final(end_s + 60))
    assert [alert.state for alert in settled] == [rules_pb2.LIVE_ALERT_STATE_FINAL] * (MAX_ALERTS + 1)
    assert meeting.said(turn(MAX_ALERTS + 2, end_s + 100, "so too much")) == [
        (MAX_ALERTS + 2, "too much?", 1000 * end_s + 100_500)
    ]


def test_without_rules_nothing_is_kept() -> None:
    meeting = Meeting()
    assert meeting.said(turn(1, 0, "too much")) == []


def test_turns_of_a_track_are_found_by_time() -> None:
    turns = TrackTurns()
    told: Sequence[pb.LiveTurn] = [turn(1, 0, "a " * 100).turn, turn(2, 10, "b").turn, turn(3, 60, "c").turn]
    for one in told:
        assert turns.replace(one) == [one]
    assert turns.overlapping(20_000, 30_000) == [told[0]]
    assert turns.overlapping(10_100, 60_000) == list(told)
    moved = turn(2, 70, "b").turn
    assert turns.replace(moved) == [told[1], moved]
    assert turns.overlapping(9000, 40_000) == [told[0]]
    assert turns.replace(turn(1, 0, "", state=RETRACTED).turn) == [told[0]]
    assert turns.overlapping(0, 100_000) == [told[2], moved]
