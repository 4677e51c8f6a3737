"""Turns that end and pauses together: somebody who speaks is no pause, whatever is published of it."""

from __future__ import annotations

from dataclasses import replace

from meetra.v1 import live_pb2 as pb

from server.live.hearing import Hearing
from server.live.speech_flow import SpeechFlow
from tests.server.live.live_configs import PARTICIPANT, of_kinds

CONFIG = replace(of_kinds(PARTICIPANT, PARTICIPANT), pause_s=2)


def heard(through_ms: int) -> list[Hearing]:
    return [Hearing(through_ms * 1000, through_ms * 1000, quiet=False, awaited=True)] * 2


def said(id_: int, start_ms: int, end_ms: int) -> pb.LiveEvent:
    state = pb.LIVE_TURN_STATE_PARTIAL
    turn = pb.LiveTurn(
        segment_id=id_, revision=1, state=state, speaker_id="a", track_id="t0", start_ms=start_ms, end_ms=end_ms
    )
    return pb.LiveEvent(turn=turn)


def kinds(events: list[pb.LiveEvent]) -> list[str]:
    return [str(event.WhichOneof("event")) for event in events]


def test_who_speaks_makes_no_pause_and_who_has_ended_does() -> None:
    flow, ended = SpeechFlow(CONFIG), set[int]()
    flow.note([said(1, 0, 1000)])
    assert flow.changes(ended.__contains__, heard(1500)) == []
    # It is published less often than it grows.
    assert flow.changes(ended.__contains__, heard(3200)) == []
    ended.add(1)
    assert kinds(flow.changes(ended.__contains__, heard(3200))) == ["turn_end", "pause"]
    flow.note([said(2, 4000, 4500)])
    assert kinds(flow.changes(ended.__contains__, heard(4600))) == ["pause"]


def test_what_was_told_is_not_told_again_after_a_restart() -> None:
    flow = SpeechFlow(CONFIG)
    events = [said(1, 0, 1000)]
    flow.note(events)
    events += flow.changes(lambda _: True, heard(5000))
    assert kinds(events) == ["turn", "turn_end", "pause"]
    again = SpeechFlow(CONFIG)
    again.restore(events)
    assert again.changes(lambda _: True, heard(0)) == []
    assert again.changes(lambda _: True, heard(6000)) == []
    (over,) = again.conclude(7000)
    assert (over.pause.start_ms, over.pause.end_ms) == (1000, 7000)
