"""For which tracks others wait: those of which something is on its way, and that are not far behind."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from server.live.copied_turns import CopiedTurns
from server.live.hearing import known_through_us
from server.live.track_feed import TrackFeed
from server.live.track_hearing import audio_through_us, listen
from server.media import RATE_HZ
from tests.server.live.live_configs import PARTICIPANT, of_kinds

S = 1_000_000
TRACK = of_kinds(PARTICIPANT, start_us=10 * S).tracks[0]


def feed(turns_s: float, audio_s: float, **known: Any) -> TrackFeed:
    """A track with so much durable audio, of which turns are known up to there."""
    made = SimpleNamespace(
        track=TRACK,
        turns_through_us=lambda: TRACK.start_us + round(turns_s * S),
        is_quiet=False,
        has_audio=True,
        copied=CopiedTurns(TRACK.start_us),
        lag_samples=lambda: round((audio_s - turns_s) * RATE_HZ),
        audio_through_us=lambda: round((10 + audio_s) * S),
    )
    made.__dict__.update(known)
    return cast("TrackFeed", made)


def awaited(*feeds: TrackFeed, ignored: tuple[int, ...] = ()) -> list[bool]:
    return [hearing.awaited for hearing in listen(feeds, ignored)]


def test_a_track_is_awaited_while_something_of_it_is_on_its_way() -> None:
    on_its_way = feed(8.0, 9.0)
    assert awaited(on_its_way) == [True]
    assert awaited(on_its_way, feed(8.9, 9.0, is_quiet=True)) == [True, False]
    assert awaited(on_its_way, feed(0, 0, has_audio=False)) == [True, False]
    assert awaited(on_its_way, feed(8.0, 9.0), ignored=(0,)) == [False, True]


def test_nobody_waits_for_a_track_that_is_far_behind() -> None:
    # The engine has no room for it; or its audio is of long ago.
    assert awaited(feed(100, 101), feed(90, 101), feed(90, 90.5)) == [True, False, False]


def test_silence_is_known_as_far_as_the_slowest_that_is_awaited() -> None:
    held = CopiedTurns(TRACK.start_us, 2, compared=True, held=True)
    assert known_through_us(listen([feed(8.0, 9.0), feed(8.5, 9.0)], ())) == 18 * S
    # Turns that are held until they are judged are not known.
    assert known_through_us(listen([feed(8.0, 9.0), feed(8.5, 9.0, copied=held)], ())) == 10 * S
    assert listen([feed(8.5, 9.0, copied=held)], ())[0].turns_us == round(18.5 * S)
    assert known_through_us(listen([feed(8.0, 9.0), feed(2.0, 2.0, is_quiet=True)], ())) == 18 * S
    # Where nothing comes of anybody, time stands still.
    assert known_through_us(listen([feed(8.0, 8.4, is_quiet=True)], ())) == 18 * S


def test_a_track_that_starts_later_says_nothing_of_what_is_heard_now() -> None:
    later = replace(TRACK, start_us=600 * S)
    waiting = feed(0, 0, track=later, has_audio=False, audio_through_us=lambda: 600 * S)
    # The one who speaks is awaited as ever, and time does not jump.
    assert awaited(feed(8.0, 9.0), waiting) == [True, False]
    assert known_through_us(listen([feed(8.0, 8.4, is_quiet=True), waiting], ())) == 18 * S
    assert known_through_us(listen([waiting], ())) == 0
    assert audio_through_us([feed(8.0, 9.0), waiting]) == 19 * S
    assert audio_through_us([waiting]) == 0
