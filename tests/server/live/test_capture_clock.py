"""Capture times against positions: a pause is filled at once, a drift in small steps, and neither on weak evidence."""

from __future__ import annotations

import random

import pytest

from server.live.capture_clock import RIGHT_AGAIN_US, STEP_US, SURE_PAUSE_US, CaptureClock

CHUNK_US = 100_000


class Track:
    """A track whose samples come at a rate of their own."""

    def __init__(self, ppm: float = 0, jitter_us: int = 0, *, quiet: bool = True) -> None:
        self.clock = CaptureClock()
        self.recorded_us = self.filled_us = 0
        self.true_us = 0.0
        self.worst_us = 0.0
        self.steps: list[int] = []
        self._ppm, self._quiet, self._jitter_us = ppm, quiet, jitter_us
        self._random = random.Random(1)

    def record(self, seconds: float) -> None:
        for _ in range(round(seconds * 1e6 / CHUNK_US)):
            stamp = round(self.true_us / 1000 + self._random.uniform(0, self._jitter_us) / 1000) * 1000
            moment = self.recorded_us + self.filled_us
            self.filled_us += self.clock.pause_us(stamp, moment, first=not self.recorded_us)
            step = self.clock.step_us(stamp, self.recorded_us + self.filled_us, quiet=self._quiet)
            self.steps += [step] if step else []
            self.filled_us += step
            self.worst_us = max(self.worst_us, abs(self.recorded_us + self.filled_us - self.true_us))
            self.recorded_us += CHUNK_US
            self.true_us += CHUNK_US / (1 + self._ppm / 1e6)

    def pause(self, seconds: float) -> None:
        self.true_us += seconds * 1e6


@pytest.mark.parametrize("ppm", [-1000, -200, -100, 100, 200, 1000])
@pytest.mark.parametrize("quiet", [True, False], ids=["quiet", "loud"])
def test_a_drift_is_measured_and_made_up_for(ppm: int, quiet: bool) -> None:
    track = Track(ppm, jitter_us=10_000, quiet=quiet)
    track.record(3600)
    assert track.clock.drift_ppm == pytest.approx(ppm, abs=15)
    # Jitter delays stamps by 5 ms in the middle, and what is known is of the last half minute.
    assert track.worst_us < 40_000 + 20 * abs(ppm)
    assert all(abs(step) <= STEP_US for step in track.steps)
    assert track.clock.corrected_us == sum(track.steps)


def test_a_drift_is_known_after_two_minutes_and_not_before() -> None:
    track = Track(200)
    track.record(115)
    assert track.clock.drift_ppm is None
    track.record(20)
    assert track.clock.drift_ppm == pytest.approx(200, abs=20)


def test_an_exact_clock_with_late_stamps_changes_nothing() -> None:
    track = Track(0, jitter_us=30_000)
    track.record(3600)
    assert track.steps == []
    assert abs(track.clock.drift_ppm or 0) < 20


def test_stamps_that_tell_nothing_are_no_drift() -> None:
    clock, values = CaptureClock(), random.Random(2)
    for number in range(1500):
        moment = number * CHUNK_US
        clock.step_us(moment + values.randint(-150_000, 150_000), moment, quiet=False)
    assert clock.drift_ppm is None or abs(clock.drift_ppm) < 100


def test_a_long_pause_is_filled_in_exactly_and_at_once() -> None:
    clock = CaptureClock()
    assert clock.pause_us(150_000, 0, first=True) == 150_000
    assert clock.pause_us(1_000_000 + SURE_PAUSE_US, 1_000_000, first=False) == 0
    assert clock.pause_us(1_100_001 + SURE_PAUSE_US, 1_100_000, first=False) == SURE_PAUSE_US + 1
    assert clock.pause_us(500_000, 1_000_000, first=False) == 0
    assert clock.pause_us(0, 5_000_000, first=True) == 0


def test_a_short_pause_is_filled_in_once_a_second_of_audio_confirms_it() -> None:
    track = Track(0, jitter_us=20_000)
    track.record(30)
    track.pause(0.5)
    track.record(1)
    assert track.filled_us < 25_000
    track.record(1)
    # The least of ten stamps that are up to 20 ms late.
    assert track.filled_us == pytest.approx(500_000, abs=25_000)
    track.record(60)
    assert track.filled_us == pytest.approx(500_000, abs=25_000)


def test_late_stamps_of_a_busy_client_are_no_pause() -> None:
    clock, values = CaptureClock(), random.Random(1)
    filled = 0
    for number in range(30 * 60 * 50):
        true_us = number * 20_000
        # Each is late by chance; and once a minute the client does nothing for 800 ms, then sends all that it has.
        late_us = int(abs(values.gauss(0, 60_000)))
        busy_us = max(0, 800_000 - true_us % 60_000_000) if number else 0
        filled += clock.pause_us(true_us + max(late_us, busy_us), true_us + filled, first=not number)
    assert filled < 300_000


def test_a_single_late_stamp_is_no_pause() -> None:
    clock = CaptureClock()
    moments = range(0, 5_000_000, CHUNK_US)
    assert [clock.pause_us(us + 900_000 * (us == 2_000_000), us, first=not us) for us in moments] == [0] * len(moments)


def test_pauses_do_not_look_like_drift() -> None:
    track = Track(0, jitter_us=20_000)
    for _ in range(30):
        track.record(40)
        track.pause(20)
    assert track.clock.drift_ppm is None
    # Each pause is as exact as one stamp.
    assert track.worst_us < 45_000


def test_a_clock_that_was_set_back_is_not_followed_until_it_is_right_again() -> None:
    track = Track()
    track.record(60)
    track.true_us -= 5e6
    before = track.filled_us
    track.record(60)
    assert track.clock.behind
    assert track.filled_us == before
    track.true_us += 5e6
    track.record(RIGHT_AGAIN_US / 1e6)
    assert track.clock.behind
    track.record(0.1)
    assert not track.clock.behind
    assert track.filled_us == before


def test_a_clock_that_jumps_to_and_fro_is_behind_all_the_time() -> None:
    clock = CaptureClock()
    behind = []
    for number in range(2, 1000):
        moment = number * 1_000_000
        clock.step_us(moment - 2_000_000 * (number % 2 == 0), moment, quiet=True)
        behind.append(clock.behind)
    assert all(behind)
