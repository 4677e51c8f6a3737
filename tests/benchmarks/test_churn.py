"""What the churn benchmark counts."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb

from benchmarks.churn import Churn
from server.live.speaker_names import UNKNOWN_SPEAKER_ID

PARTIAL, STABLE, RETRACTED = pb.LIVE_TURN_STATE_PARTIAL, pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_RETRACTED
A, B = "aaaa", "bbbb"


def turn(
    id_: int, start_ms: int, end_ms: int, speaker: str, state: pb.LiveTurnState.ValueType = STABLE
) -> pb.LiveEvent:
    told = pb.LiveTurn(segment_id=id_, start_ms=start_ms, end_ms=end_ms, speaker_id=speaker, alias=speaker, state=state)
    return pb.LiveEvent(turn=told)


def counted(*publications: pb.LiveEvent) -> Churn:
    churn = Churn(frames=100)
    for event in publications:
        churn.add([event], at_end=False)
    return churn


def test_speech_that_changes_hands_is_counted_in_seconds_also_by_way_of_nobody() -> None:
    churn = counted(turn(1, 0, 2000, A), turn(1, 0, 2000, UNKNOWN_SPEAKER_ID), turn(1, 0, 2000, B))
    assert (churn.told["relabelled_ms"], churn.told["other_speaker"]) == (2000, 1)
    # Whoever becomes known, or speaks beside another, takes nothing from anybody.
    churn = counted(turn(1, 0, 2000, UNKNOWN_SPEAKER_ID), turn(1, 0, 2000, A), turn(2, 1000, 2000, B))
    assert (churn.told["relabelled_ms"], churn.told["other_speaker"]) == (0, 0)


def test_a_new_id_for_the_same_speech_hides_no_change_of_speaker() -> None:
    churn = counted(turn(1, 0, 2000, A), turn(1, 0, 2000, A, RETRACTED), turn(2, 0, 2000, B))
    assert (churn.told["relabelled_ms"], churn.told["other_speaker"], churn.told["retractions"]) == (2000, 0, 1)
    assert [t.segment_id for t in churn.standing()] == [2]


def test_an_id_that_names_other_speech_or_comes_back_has_moved() -> None:
    assert counted(turn(1, 0, 1000, A), turn(1, 400, 5000, A)).moved == set()
    assert counted(turn(1, 0, 1000, A), turn(1, 500, 5000, A)).moved == {1}
    assert counted(turn(1, 0, 1000, A), turn(1, 0, 1000, A, RETRACTED), turn(1, 0, 1000, A)).moved == {1}
