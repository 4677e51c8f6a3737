"""Times follow the container: what a player shows at 0:05 is heard at 0:05, whatever the timestamps do."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from tests.server.media.media_files import Sound, blocks_of, heard, media, timed_matroska, tone
from tests.server.media.transcoded import mixed, transcoded

LOW, HIGH = tone(440, 5), tone(1000, 5)
BOTH = np.concatenate([LOW, HIGH])
# An encoder begins and ends with some silence of its own.
CLOSE = 0.1

CONTAINERS = {
    "webm": ("libopus", 48_000),
    "matroska": ("aac", 48_000),
    "mp4": ("aac", 44_100),
    "mov": ("alac", 44_100),
    "mpegts": ("aac", 48_000),
    "flv": ("aac", 44_100),
    "ogg": ("libopus", 48_000),
    "nut": ("pcm_s16le", 16_000),
    "asf": ("wmav2", 44_100),
}
WITH_PICTURES = ["matroska", "mp4", "mov", "mpegts", "nut", "asf"]


def sound(kind: str, *stretches: tuple[float, np.ndarray]) -> Sound:
    codec, rate_hz = CONTAINERS[kind]
    return Sound(stretches, codec, rate_hz, {"b": "64000"} if codec == "wmav2" else {})


def spans(pcm: np.ndarray, hertz: float) -> list[tuple[float, float]]:
    """Where a tone is heard, without the click of an encoder between two stretches."""
    return [(start, end) for start, end in heard(pcm, hertz) if end - start > 0.2]


def true_time(_: int, time_s: float) -> float:
    return time_s


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_gap_in_the_timestamps_is_silence(kind: str) -> None:
    pcm = mixed(media(kind, sound(kind, (0, LOW), (15, HIGH))))
    assert spans(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]
    assert spans(pcm, 1000) == [pytest.approx((15, 20), abs=CLOSE)]
    assert not pcm[6 * 16_000 : 14 * 16_000].any()


@pytest.mark.parametrize("kind", WITH_PICTURES)
def test_sound_that_begins_after_the_pictures_is_heard_when_a_player_plays_it(kind: str) -> None:
    pcm = mixed(media(kind, sound(kind, (5, LOW)), picture=(0, 12)))
    assert spans(pcm, 440) == [pytest.approx((5, 10), abs=CLOSE)]
    pcm = mixed(media(kind, sound(kind, (0, LOW)), picture=(3, 8)))
    assert spans(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]


@pytest.mark.parametrize("kind", [*WITH_PICTURES, "webm", "ogg"])
def test_a_file_whose_clock_does_not_begin_at_0_begins_at_0(kind: str) -> None:
    pictures = (3000, 3012) if kind in WITH_PICTURES else None
    pcm = mixed(media(kind, sound(kind, (3000, LOW)), picture=pictures))
    assert spans(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]


def test_sound_that_begins_long_after_the_pictures_is_found() -> None:
    for kind, codec in (("mpegts", "aac"), ("vob", "mp2")):
        pcm = mixed(media(kind, Sound([(30, LOW)], codec, 48_000), picture=(0, 40)))
        assert spans(pcm, 440) == [pytest.approx((30, 35), abs=CLOSE)]


def test_a_transport_stream_whose_clock_wraps_goes_on() -> None:
    # 33 bits at 90 kHz are 26 h 30 min 43.7 s.
    pcm = mixed(media("mpegts", Sound([(95_443.7 - 5, BOTH)], "aac", 48_000)))
    assert spans(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]
    assert spans(pcm, 1000) == [pytest.approx((5, 10), abs=CLOSE)]


@pytest.mark.parametrize("jitter_ms", [1, 20])
def test_rounding_and_jitter_do_nothing(jitter_ms: float) -> None:
    numbers = random.Random(1)

    def retimed(number: int, time_s: float) -> float:
        return time_s + (numbers.uniform(-jitter_ms, jitter_ms) / 1000 if number else 0)

    assert np.array_equal(mixed(timed_matroska(blocks_of(BOTH, retimed))), BOTH)


def test_small_gaps_and_drift_do_not_add_up() -> None:
    for rate in (0.99, 1.01):
        pcm = mixed(timed_matroska((time_s * rate, block) for time_s, block in blocks_of(BOTH, true_time)))
        assert len(pcm) / 16_000 == pytest.approx(10 * rate, abs=0.06)
    pcm = mixed(timed_matroska(blocks_of(BOTH, lambda number, time_s: time_s + 0.02 * (number // 50))))
    assert len(pcm) / 16_000 == pytest.approx(10.18, abs=0.05)


def test_packets_far_apart_are_each_heard_at_their_time() -> None:
    # A sender that is silent sends one packet now and then.
    pcm = mixed(timed_matroska(blocks_of(LOW[:16_000], lambda _, time_s: time_s * 20)))
    assert [round(start, 2) for start, _ in heard(pcm, 440)] == [round(0.4 * n, 2) for n in range(50)]


FORGED: dict[str, Callable[[int, float], float]] = {
    "one far ahead": lambda number, time_s: time_s + (5000 if number == 100 else 0),
    "one ahead": lambda number, time_s: time_s + (2 if number == 100 else 0),
    "one back": lambda number, time_s: time_s - (2 if number == 150 else 0),
    "a few ahead": lambda number, time_s: time_s + (300 if 100 <= number < 105 else 0),
    "all the rest beyond any recording": lambda number, time_s: time_s + (5000 if number >= 250 else 0),
    "all the same": lambda _number, _time_s: 0.0,
    "begins anew": lambda number, time_s: time_s - (5 if number >= 250 else 0),
    "all before 0": lambda _, time_s: time_s - 3,
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_timestamp_costs_nothing(forgery: str) -> None:
    assert np.array_equal(mixed(timed_matroska(blocks_of(BOTH, FORGED[forgery]))), BOTH)


def test_timestamps_that_mean_nothing_lose_nothing_and_write_little() -> None:
    numbers = random.Random(1)
    for most_s in (500, 1e6):
        pcm = mixed(timed_matroska((numbers.uniform(0, most_s), block) for _, block in blocks_of(BOTH, true_time)))
        assert np.count_nonzero(pcm) >= 0.95 * np.count_nonzero(BOTH)


def test_what_overlaps_is_dropped_and_what_follows_keeps_its_time() -> None:
    pcm = mixed(timed_matroska(blocks_of(BOTH, lambda number, time_s: time_s - (2 if number >= 250 else 0))))
    assert np.array_equal(pcm, np.concatenate([LOW, HIGH[2 * 16_000 :]]))


def test_a_clock_that_goes_far_back_is_a_new_one() -> None:
    long = np.concatenate([tone(440, 20), HIGH])
    pcm = mixed(timed_matroska(blocks_of(long, lambda number, time_s: time_s - (15 if number >= 1000 else 0))))
    assert np.array_equal(pcm, long)


@pytest.mark.parametrize("kind", ["mpegts", "webm", "matroska", "adts", "flac"])
def test_files_put_one_after_the_other_are_heard_one_after_the_other(kind: str) -> None:
    codec, rate_hz = {"webm": ("libopus", 48_000), "flac": ("flac", 44_100)}.get(kind, ("aac", 48_000))
    pcm = mixed(media(kind, Sound([(0, LOW)], codec, rate_hz)) + media(kind, Sound([(0, HIGH)], codec, rate_hz)))
    assert spans(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]
    assert spans(pcm, 1000) == [pytest.approx((5, 10), abs=0.1)]


@pytest.mark.parametrize("kind", ["adts", "mp3"])
def test_frames_of_another_rate_in_the_middle_keep_their_length(kind: str) -> None:
    codec = {"adts": "aac", "mp3": "libmp3lame"}[kind]
    first, second = (media(kind, Sound([(0, pcm)], codec, rate)) for pcm, rate in ((LOW, 44_100), (HIGH, 22_050)))
    _, (pcm,) = transcoded(first + second)
    assert spans(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]
    assert spans(pcm, 1000) == [pytest.approx((5, 10), abs=0.1)]


def test_a_change_of_channels_in_the_middle_is_heard() -> None:
    first = media("adts", Sound([(0, LOW)], "aac", 44_100))
    second = media("adts", Sound([(0, np.stack([HIGH, HIGH], 1))], "aac", 44_100))
    pcm = mixed(first + second)
    assert spans(pcm, 440) == [pytest.approx((0, 5), abs=CLOSE)]
    assert spans(pcm, 1000) == [pytest.approx((5, 10), abs=0.1)]


def speech_frames(count: int) -> bytes:
    return (b"\x04" + bytes(12)) * count


@pytest.mark.parametrize(
    ("silence", "seconds"),
    [(b"\x7c" * 500, 10), ((b"\x44" + bytes(5) + b"\x7c" * 7) * 62, 9.92)],
    ids=["nothing sent", "silence described"],
)
def test_amr_that_sends_nothing_while_nobody_speaks_is_silent_and_not_damaged(silence: bytes, seconds: float) -> None:
    pcm = mixed(b"#!AMR\n" + speech_frames(250) + silence + speech_frames(250))
    assert len(pcm) / 16_000 == pytest.approx(10 + seconds, abs=0.01)
    pcm = mixed(b"#!AMR\n" + speech_frames(250) + silence)
    assert len(pcm) / 16_000 == pytest.approx(5 + seconds, abs=0.01)


def test_packets_that_cannot_be_decoded_are_silence_of_their_length() -> None:
    whole = bytearray(media("mp4", Sound([(0, BOTH)], "aac", 44_100)))
    third = len(whole) // 3
    whole[third : 2 * third] = bytes(third)
    outcome, (pcm,) = transcoded(bytes(whole))
    assert outcome.damaged
    assert len(pcm) / 16_000 == pytest.approx(10, abs=CLOSE)
    assert spans(pcm, 1000)[-1] == pytest.approx((7, 10), abs=0.3)
