"""Instructions that change tracks: whose end is told once, and which of them others replace."""

from __future__ import annotations

import pytest
from meetra.v1 import live_pb2

from meetra_client.track_instructions import Instruction, may_lead_to, without_replaced_names


def add(track_id: str) -> Instruction:
    return Instruction(live_pb2.StreamMeetingRequest(add_track=live_pb2.TrackConfig(track_id=track_id)), track_id)


def end(track_id: str) -> Instruction:
    return Instruction(live_pb2.StreamMeetingRequest(end_track=live_pb2.EndTrack(track_id=track_id)), track_id)


def rename(track_id: str, name: str, channel: int = 0) -> Instruction:
    renamed = live_pb2.RenameTrack(track_id=track_id, participant_name=name, channel=channel)
    return Instruction(live_pb2.StreamMeetingRequest(rename_track=renamed), track_id)


def change(kind: live_pb2.TrackChange.ValueType, *, ended: bool = False) -> live_pb2.LiveTrackChange:
    return live_pb2.LiveTrackChange(change=kind, track=live_pb2.LiveTrackState(track_id="a", ended=ended))


async def test_the_first_outcome_holds() -> None:
    done, failed = add("a"), end("a")
    done.settle()
    done.settle(ZeroDivisionError())
    failed.settle(ZeroDivisionError())
    failed.settle()
    assert await done.done is None  # type: ignore[func-returns-value]
    with pytest.raises(ZeroDivisionError):
        await failed.done
    assert (done.kind, failed.kind) == ("add_track", "end_track")


async def test_the_last_name_of_each_channel_is_kept_in_its_place() -> None:
    asked = [
        add("a"),
        rename("a", "Ada"),
        rename("call", "Bo", 1),
        rename("call", "Cy", 2),
        rename("a", "Ann"),
        end("a"),
        rename("call", "Di", 1),
    ]
    kept = without_replaced_names(asked)
    assert kept == [asked[at] for at in (0, 3, 4, 5, 6)]
    assert [each.done.done() for each in asked] == [False, True, True, False, False, False, False]


async def test_a_change_confirms_what_may_have_led_to_it() -> None:
    instructions = [add("a"), rename("a", "Ada"), end("a")]
    changes = {
        "added": change(live_pb2.TRACK_CHANGE_ADDED),
        "renamed": change(live_pb2.TRACK_CHANGE_RENAMED),
        "ended": change(live_pb2.TRACK_CHANGE_ENDED, ended=True),
    }
    led = {name: [may_lead_to(told, each) for each in instructions] for name, told in changes.items()}
    assert led == {"added": [True, False, False], "renamed": [True, True, False], "ended": [True, False, True]}
