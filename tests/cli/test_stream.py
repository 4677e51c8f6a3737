"""Options of ``meetra stream``: which tracks they make, and which of them contradict one another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from meetra.v1 import live_pb2

from cli.audio_sources import SourceUnusable
from cli.stream import StreamInterrupted, StreamOptions, _run_unless, create_sources
from meetra_client import Finished, event_from

NOTHING = StreamOptions(files=[], mic=None, participants=[])


def options(**given: Any) -> StreamOptions:
    return replace(NOTHING, **given)


@pytest.mark.parametrize(
    ("given", "tracks"),
    [
        ({"files": ["a.wav"]}, [("mix", "")]),
        ({"files": ["a.wav"], "participants": ["Ada"]}, [("mix", "Ada")]),
        (
            {"files": ["a.wav", "b.mp4"], "participants": ["Ada", "Grace"]},
            [("participant-1", "Ada"), ("participant-2", "Grace")],
        ),
        ({"files": ["-"]}, [("mix", "")]),
        ({"files": ["-"], "channels": 2, "participants": ["Ada"]}, [("mix", "Ada")]),
        ({"files": ["-"], "rate_hz": 8000}, [("mix", "")]),
        ({"files": ["-"], "separate": True, "channels": 2}, [("call", "")]),
        ({"mic": ""}, [("mix", "")]),
        ({"mic": "hw:0", "participants": ["Ada"]}, [("mix", "Ada")]),
    ],
)
def test_each_source_is_a_track(given: dict[str, Any], tracks: list[tuple[str, str]]) -> None:
    sources = create_sources(options(**given))
    assert [(source.track.track_id, source.track.participant_name) for source in sources] == tracks


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "specify either recordings"),
        ({"files": ["a.wav"], "mic": ""}, "specify either recordings"),
        ({"files": ["a.wav"], "separate": True}, "--separate applies only to `-`"),
        ({"files": ["a.wav"], "channels": 1}, "--rate and --channels apply only to `-`"),
        ({"mic": "", "rate_hz": 16_000}, "--rate and --channels apply only to `-`"),
        ({"files": ["a.wav"], "participants": ["Ada", "Grace"]}, "2 --participant for 1 "),
        ({"files": ["a.wav", "b.wav"], "participants": ["Ada"]}, "1 --participant for 2 "),
        ({"files": ["-"], "separate": True, "channels": 2, "participants": ["Ada"]}, "1 --participant for 2 "),
        ({"files": ["a.wav", "b.wav"]}, "--participant NAME each"),
        ({"files": ["a.wav", "-"], "participants": ["Ada", "Grace"]}, "standard input cannot be combined"),
    ],
)
def test_options_that_contradict_one_another_are_refused_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceUnusable, match=said):
        create_sources(options(**given))


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({"mic": ""}, "Microphone"),
        ({"files": ["-"]}, "Live meeting"),
        ({"files": ["/a/one.wav", "two.mp4"]}, "one.wav, two.mp4"),
        ({"files": ["-"], "name": "Weekly"}, "Weekly"),
    ],
)
def test_a_meeting_has_a_name(given: dict[str, Any], title: str) -> None:
    assert options(**given).title == title


async def test_work_ends_by_itself_or_is_left_and_is_then_over() -> None:
    leave, ended = asyncio.Event(), asyncio.Event()

    finished = event_from(live_pb2.LiveEvent(finished=live_pb2.LiveFinished(status="ready")))
    assert isinstance(finished, Finished)

    async def finishes() -> Finished:
        return finished

    async def lasts() -> Finished:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    assert (await _run_unless(leave, finishes())).status == "ready"
    asyncio.get_running_loop().call_soon(leave.set)
    with pytest.raises(StreamInterrupted):
        await _run_unless(leave, lasts())
    assert ended.is_set()


async def test_what_the_work_raises_is_raised() -> None:
    async def breaks() -> Finished:
        raise SourceUnusable("gone")

    with pytest.raises(SourceUnusable, match="gone"):
        await _run_unless(asyncio.Event(), breaks())
