"""What counts as late: turns and words when they are first told, and words when they are final."""

from __future__ import annotations

import pytest
from meetra.v1 import live_pb2 as pb

from benchmarks.live_load import LagMeter
from meetra_client import Event, event_from

PARTIAL, STABLE, FINAL = pb.LIVE_TURN_STATE_PARTIAL, pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_FINAL


def _turn(state: pb.LiveTurnState.ValueType, revision: int, end_ms: int, *words: tuple[str, int, int]) -> Event:
    said = [pb.LiveWord(text=text, start_ms=start, end_ms=end) for text, start, end in words]
    turn = pb.LiveTurn(segment_id=7, revision=revision, state=state, start_ms=20_000, end_ms=end_ms, words=said)
    return event_from(pb.LiveEvent(turn=turn))


def _watermark(words_ms: int) -> Event:
    return event_from(pb.LiveEvent(watermark=pb.Watermark(words_final_through_ms=words_ms)))


def test_each_kind_of_lag_of_a_turn_that_is_revised() -> None:
    meter = LagMeter()
    meter.add(_turn(PARTIAL, 1, 21_000), 21.5)
    meter.add(_turn(PARTIAL, 2, 22_000, ("hi", 20_200, 20_900)), 22.4)
    meter.add(_turn(STABLE, 3, 23_000, ("hi", 20_200, 20_900), ("their", 21_000, 22_500)), 24.0)
    meter.add(_turn(STABLE, 4, 23_000, ("Hi", 20_300, 20_800), ("there.", 21_100, 22_400)), 40.0)
    meter.add(_watermark(23_000), 40.0)
    meter.add(_turn(FINAL, 5, 23_000, ("Hi", 20_300, 20_800), ("there.", 21_100, 22_400)), 60.0)
    lags = meter.lags
    assert lags.partial == pytest.approx([0.5])
    assert lags.stable == pytest.approx([1.0]), "told to be stable once, however often its words are revised"
    assert lags.told == pytest.approx([1.0])
    assert lags.word == pytest.approx([1.5, 1.5]), "of the provisional words"
    assert lags.final_word == pytest.approx([19.2, 17.6])


def test_a_turn_whose_words_are_told_before_its_speaker_is_sure_is_told_then() -> None:
    meter = LagMeter()
    meter.add(_turn(PARTIAL, 1, 21_000), 21.5)
    meter.add(_turn(PARTIAL, 2, 23_000, ("hi", 20_200, 20_900), ("there", 21_000, 22_500)), 24.2)
    meter.add(_turn(STABLE, 3, 23_000, ("hi", 20_200, 20_900), ("there", 21_000, 22_500)), 29.0)
    assert meter.lags.told == pytest.approx([1.2])
    assert meter.lags.stable == pytest.approx([6.0])
    assert meter.lags.all_turns() == pytest.approx([0.5, 1.2])


def test_a_turn_whose_end_is_moved_back_was_told_before() -> None:
    meter = LagMeter()
    meter.add(_turn(PARTIAL, 1, 21_000), 21.5)
    meter.add(_turn(PARTIAL, 2, 23_000), 23.4)
    meter.add(_turn(PARTIAL, 3, 22_000), 24.0)
    meter.add(_turn(PARTIAL, 4, 23_000), 24.5)
    meter.add(_turn(PARTIAL, 5, 24_000), 24.3)
    assert meter.lags.partial == pytest.approx([0.5, 0.4, 0.3])
    assert meter.lags.again == pytest.approx([2.0, 1.5])
    assert meter.lags.all_turns() == meter.lags.partial


def test_an_end_is_late_by_the_silence_that_it_waits_for() -> None:
    meter = LagMeter()
    pause, change = pb.TURN_END_REASON_PAUSE, pb.TURN_END_REASON_CHANGE
    for end_ms, now_s, reason in ((5_000, 6.0, pause), (23_000, 23.9, pause), (24_000, 26.0, change)):
        meter.add(event_from(pb.LiveEvent(turn_end=pb.LiveTurnEnd(segment_id=7, end_ms=end_ms, reason=reason))), now_s)
    assert meter.lags.turn_end == pytest.approx([0.9]), "the first seconds of a meeting do not count"
    assert meter.lags.change == pytest.approx([2.0])


def test_a_turn_that_loses_its_words_does_not_begin_again() -> None:
    meter = LagMeter()
    meter.add(_turn(PARTIAL, 1, 22_000, ("uh", 20_200, 20_900)), 22.4)
    meter.add(_turn(PARTIAL, 2, 22_000), 50.0)
    assert meter.lags.partial == []


def test_a_word_is_final_once() -> None:
    meter = LagMeter()
    turn = _turn(STABLE, 1, 23_000, ("hi", 20_200, 20_900), ("there", 21_000, 22_500))
    meter.add(turn, 24.0)
    meter.add(_watermark(21_000), 30.0)
    meter.add(turn, 31.0)
    meter.add(_watermark(21_000), 32.0)
    meter.add(_watermark(23_000), 40.0)
    assert meter.lags.final_word == pytest.approx([9.1, 17.5])
