"""What is known of a meeting while it runs: who speaks when, and up to where."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation, EngineCapabilities, Segment, Word
from server.insights import build_timeline
from server.live.config import LiveConfig
from server.live.published_state import PublishedState
from server.live.rolling_alerts import RollingAlerts, known_through_us, speech_timeline
from server.live.rules import LiveRule, RuleKind
from server.media import RATE_HZ
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING, STABLE, turn

S = 1_000_000


def feed(
    turns_s: float,
    words_s: float,
    lag_s: float = 0,
    words_lag_s: float = 0,
    start_s: float = 0,
    *,
    has_audio: bool = True,
) -> Any:
    return SimpleNamespace(
        turns_through_us=lambda: round((start_s + turns_s) * S),
        words_through_us=lambda: round((start_s + words_s) * S),
        has_audio=has_audio,
        is_unheard=False,
        track=SimpleNamespace(start_us=round(start_s * S)),
        lag_samples=lambda: round(lag_s * RATE_HZ),
        words_lag_samples=lambda: round(words_lag_s * RATE_HZ),
    )


@pytest.mark.parametrize(
    ("feeds", "heard", "expected"),
    [
        ([], [], (0, 0)),
        ([feed(60, 57, 0.4, 3)], [0], (60, 57)),
        ([feed(60, 60), feed(20, 20)], [0, 1], (60, 60)),
        ([feed(60, 60), feed(20, 15, 3, 8)], [0, 1], (20, 15)),
        ([feed(60, 60), feed(20, 15, 3, 8)], [0], (60, 60)),
        ([feed(60, 55, 0.2, 5), feed(5, 4, 2, 3, start_s=50)], [0, 1], (55, 54)),
        ([feed(10, 9, 0.2, 3), feed(0, 0, start_s=600, has_audio=False)], [0, 1], (10, 9)),
    ],
    ids=[
        "no tracks",
        "words come later",
        "a muted track",
        "one is behind",
        "that does not count",
        "one began late",
        "one begins in ten minutes",
    ],
)
def test_it_is_known_as_far_as_of_the_track_furthest_behind(
    feeds: list[Any], heard: list[int], expected: tuple[int, int]
) -> None:
    assert known_through_us(feeds, heard) == (expected[0] * S, expected[1] * S)


def test_who_speaks_when_is_what_the_scores_have() -> None:
    segments = [
        Segment(place, speaker, round(start * S), round(end * S), (Word("so", round(start * S), round(end * S), None),))
        for place, (speaker, start, end) in enumerate([(1, 0, 4), (0, 4, 5), (2, 4.5, 5), (2, 5.1, 8), (1, 7, 9.5)])
    ]
    light = speech_timeline(segments, 12 * S)
    whole = build_timeline(Conversation(12 * S, (1, 2), tuple(segments), EngineCapabilities()))
    assert (light.turns, light.utterances, light.speech) == (whole.turns, whole.utterances, whole.speech)
    assert light.speakers == whole.speakers
    assert light.duration_us == whole.duration_us


class Meeting:
    """The first participant speaks for 200 s; two voices of a room did at the beginning."""

    def __init__(self, *, ended: bool = False) -> None:
        config = of_kinds(PARTICIPANT, MIXED)
        rules = (LiveRule("quiet", RuleKind.NOT_HEARD, 60),)
        tracks = (config.tracks[0], replace(config.tracks[1], ended=ended))
        self.config: LiveConfig = replace(config, rules=rules, tracks=tracks)
        self.published = PublishedState(self.config, MEETING)
        self.turns = self.published.turns
        said = [(0, 1, 10 * i, 10 * i + 9) for i in range(20)] + [(1, 2, 1, 5), (1, 3, 6, 9)]
        for place, (track, speaker, start_s, end_s) in enumerate(said):
            one = turn(32 * (place + 1) + track, speaker, state=STABLE, track=track)
            self.turns.update(replace(one, start_us=start_s * S, end_us=end_s * S, words=()))
        self.feeds = [feed(200, 200), feed(10, 10)]

    async def alerts(self, ignored: tuple[int, ...] = ()) -> list[pb.LiveEvent]:
        timelines: Any = None  # no rule needs sentences
        rolling = RollingAlerts(self.config, self.feeds, self.published, timelines)
        return await rolling.update(None, ignored, set())


async def test_who_has_left_with_a_room_is_not_missed() -> None:
    assert len(await Meeting().alerts()) == 2
    assert await Meeting(ended=True).alerts() == []


async def test_what_is_measured_does_not_wait_for_a_track_that_no_engine_takes_on() -> None:
    meeting = Meeting()
    meeting.turns.start_catch_up(1)
    assert await meeting.alerts() == []
    meeting.feeds[1].is_unheard = True
    meeting.turns.update(replace(turn(3200, 1, state=STABLE), start_us=260 * S, end_us=270 * S, words=()))
    meeting.feeds[0].turns_through_us = lambda: 270 * S
    # Nothing is known of the room; the gap of the one who is heard is told.
    assert [(event.alert.start_ms, event.alert.end_ms) for event in await meeting.alerts()] == [(199_000, 260_000)]


async def test_what_is_measured_does_not_wait_for_a_copy_of_another_track() -> None:
    meeting = Meeting()
    meeting.turns.ignore(1)
    meeting.turns.start_catch_up(1)
    meeting.feeds[0].turns_through_us = lambda: 270 * S
    assert [event.alert.start_ms for event in await meeting.alerts(ignored=(1,))] == [199_000]
