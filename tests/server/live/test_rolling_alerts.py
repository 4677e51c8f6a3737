"""What is known of a meeting while it runs: who speaks when, and up to where."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from server.conversation import Conversation, EngineCapabilities, Segment, Word
from server.insights import build_timeline
from server.live.rolling_alerts import known_through_us, speech_timeline
from server.media import RATE_HZ

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
    reach = SimpleNamespace(turns=round(turns_s * RATE_HZ), words=round(words_s * RATE_HZ))
    return SimpleNamespace(
        reach=reach,
        has_audio=has_audio,
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
