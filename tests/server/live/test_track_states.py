"""Tracks as clients see them: each change is told once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meetra.v1 import live_pb2 as pb

from server.live.config import LiveConfig
from server.live.track_states import PublishedTracks, track_states
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_channels, of_kinds

ADDED, ENDED, RENAMED = pb.TRACK_CHANGE_ADDED, pb.TRACK_CHANGE_ENDED, pb.TRACK_CHANGE_RENAMED


def change(config: LiveConfig, track_id: str, **what: Any) -> None:
    tracks = tuple(replace(t, **what) if t.track_id == track_id else t for t in config.tracks)
    config.set_tracks(replace(config, tracks=tracks))


def told(events: list[pb.LiveEvent]) -> list[tuple[int, str]]:
    return [(event.track.change, event.track.track.track_id) for event in events]


def test_a_source_is_one_track_with_the_names_of_its_channels() -> None:
    room, call = of_kinds(MIXED), of_channels(2)
    config = replace(room, tracks=(*room.tracks, *call.tracks))
    first, second = track_states(config)
    assert (first.track_id, first.kind, first.participant_name) == ("t0", pb.TRACK_KIND_MIXED, "")
    assert (second.track_id, second.participant_name, list(second.channel_names)) == ("call", "", ["P1", "P2"])
    assert [list(state.channel_names) for state in track_states(replace(config, redact="name"))] == [[], ["", ""]]


def test_each_change_is_told_once_and_what_was_not_told_before_a_restart_after_it() -> None:
    config = of_kinds(PARTICIPANT, PARTICIPANT)
    published = PublishedTracks(config)
    assert published.changes() == []
    late = replace(config.tracks[0], track_id="late", joined=1)
    config.set_tracks(replace(config, tracks=(*config.tracks, late)))
    change(config, "t0", participant_name="Ada", earlier_names=("P0",))
    events = published.changes()
    assert told(events) == [(RENAMED, "t0"), (ADDED, "late")]
    change(config, "late", participant_name="Ben", earlier_names=("P0",), ended=True)
    # The process dies before it tells that.
    again = PublishedTracks(config)
    again.restore(events)
    assert told(again.changes()) == [(RENAMED, "late"), (ENDED, "late")]
    assert again.changes() == []
    # All at once, where nothing was told.
    assert told(PublishedTracks(config).changes()) == [(RENAMED, "t0"), (ADDED, "late"), (ENDED, "late")]
