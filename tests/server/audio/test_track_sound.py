"""What is noticed of a track's sound: clipping, silence, and that it is another track's."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from numpy.typing import NDArray

from server.audio.encodings import Encoding, TrackFormat, encode_record
from server.audio.track_decoder import MULAW, TrackDecoder
from server.audio.track_sound import (
    CLIPPED_SECONDS,
    COMPARED_SECONDS,
    MAX_KEPT_SECONDS,
    SILENCE_S,
    ChannelComparison,
    TrackComparison,
    TrackSound,
    sample_similarity,
)
from server.media.similarity import correlation
from tests.recordings import RATE_HZ, sample_pcm, solo
from tests.server.audio.opus_audio import raw_packets

Pcm = NDArray[np.int16]
MEETING = sample_pcm()[: 30 * RATE_HZ]
OPUS = TrackFormat(Encoding.OPUS, 48_000, 1)


def heard(pcm: Pcm, piece: int = RATE_HZ) -> TrackSound:
    """The sound of a track that came in pieces of so many samples."""
    sound = TrackSound()
    for start in range(0, len(pcm), piece):
        sound.add(pcm[start : start + piece], start)
    return sound


def louder(pcm: Pcm, decibels: float) -> Pcm:
    return np.clip(np.round(pcm * 10 ** (decibels / 20)), -32768, 32767).astype(np.int16)


def later(pcm: Pcm, seconds: float) -> Pcm:
    """The same so much later; before, nothing."""
    shift = round(seconds * RATE_HZ)
    return np.concatenate([np.zeros(max(0, shift), np.int16), pcm[max(0, -shift) :]])


def as_mulaw(pcm: Pcm) -> Pcm:
    """What is left of the samples at 8 bits: the nearest of mu-law's 256 values."""
    values = np.unique(MULAW)
    place = np.clip(np.searchsorted(values, pcm), 1, len(values) - 1)
    below, above = values[place - 1].astype(int), values[place].astype(int)
    return np.where(pcm - below <= above - pcm, below, above).astype(np.int16)


async def as_opus(pcm: Pcm) -> Pcm:
    """What is left of the samples after Opus."""
    decoder = TrackDecoder(OPUS)
    try:
        parts = [await decoder.decode(encode_record(OPUS, packet)) for packet in raw_packets(pcm)]
        return np.concatenate([*parts, await decoder.finish()])
    finally:
        await decoder.close()


def same(first: Pcm, second: Pcm, shift_s: int = 0) -> bool | None:
    comparison = TrackComparison(shift_s)
    comparison.compare(heard(first), heard(second))
    return comparison.same


@pytest.mark.parametrize("piece", [160, 2048, RATE_HZ, 40_000])
def test_seconds_are_kept_by_their_number_however_audio_comes(piece: int) -> None:
    sound = heard(MEETING[: 5 * RATE_HZ + 100], piece)
    assert list(sound.seconds) == [0, 1, 2, 3, 4]
    assert np.array_equal(np.concatenate(list(sound.seconds.values())), MEETING[: 5 * RATE_HZ])


def test_only_the_last_seconds_are_kept() -> None:
    sound = heard(np.zeros((MAX_KEPT_SECONDS + 7) * RATE_HZ, np.int16), 10 * RATE_HZ)
    assert list(sound.seconds) == list(range(7, MAX_KEPT_SECONDS + 7))


def test_a_track_that_begins_anew_forgets_what_it_heard() -> None:
    sound = heard(louder(MEETING[: 6 * RATE_HZ + 500], 60))
    assert sound.clipping
    sound.add(MEETING[: 2 * RATE_HZ], 0)
    assert not sound.clipping
    assert list(sound.seconds) == [0, 1]
    assert np.array_equal(sound.seconds[0], MEETING[:RATE_HZ])


def test_a_microphone_too_loud_is_noticed_and_one_that_was_turned_down_is_not_any_more() -> None:
    sound = TrackSound()
    loud = louder(MEETING[: CLIPPED_SECONDS * RATE_HZ], 40)
    sound.add(loud[:-RATE_HZ], 0)
    assert not sound.clipping
    sound.add(loud[-RATE_HZ:], len(loud) - RATE_HZ)
    assert sound.clipping
    sound.add(MEETING, len(loud))
    assert not sound.clipping


def test_speech_with_single_peaks_is_not_clipped() -> None:
    pcm = MEETING.copy()
    pcm[:: RATE_HZ // 10] = 32767
    assert not heard(pcm).clipping


@pytest.mark.parametrize("level", [0, 20])
def test_a_minute_of_nothing_is_silence_until_somebody_speaks(level: int) -> None:
    nothing = np.random.default_rng(1).integers(-level, level + 1, SILENCE_S * RATE_HZ).astype(np.int16)
    sound = TrackSound()
    sound.add(nothing[:-RATE_HZ], 0)
    assert not sound.silent
    sound.add(nothing[-RATE_HZ:], len(nothing) - RATE_HZ)
    assert sound.silent
    sound.add(MEETING[5 * RATE_HZ : 7 * RATE_HZ], len(nothing))
    assert not sound.silent


@pytest.mark.parametrize("shift_s", [-0.5, -0.1234, 0.0, 0.02, 0.3, 0.49])
@pytest.mark.parametrize("decibels", [-12, 6])
def test_the_same_audio_is_found_later_louder_or_softer(shift_s: float, decibels: float) -> None:
    assert same(MEETING, later(louder(MEETING, decibels), shift_s)) is True


def test_the_same_audio_is_found_when_it_is_clipped() -> None:
    assert same(MEETING, louder(MEETING, 12)) is True


def test_the_same_audio_is_found_through_mulaw() -> None:
    assert same(MEETING, later(as_mulaw(louder(MEETING, -6)), 0.25)) is True


@pytest.mark.children
async def test_the_same_audio_is_found_through_opus() -> None:
    assert same(MEETING, await as_opus(MEETING)) is True
    assert same(as_mulaw(MEETING), later(await as_opus(MEETING), 0.1)) is True


def test_a_track_that_began_later_is_compared_by_the_meetings_time() -> None:
    assert same(MEETING, MEETING[5 * RATE_HZ :], 5) is True
    assert same(MEETING[5 * RATE_HZ :], MEETING, -5) is True
    assert same(MEETING, MEETING[5 * RATE_HZ :]) is False


@pytest.mark.parametrize(("one", "other"), [("rms", "slt"), ("awb", "kal16"), ("rms", "awb"), ("slt", "kal16")])
def test_two_voices_are_two_tracks(one: str, other: str) -> None:
    assert same(solo(one), solo(other)) is False


@pytest.mark.parametrize("decibels", [-30, -20])
def test_two_in_one_room_who_hear_one_another_are_two_tracks(decibels: float) -> None:
    length = min(len(solo("rms")), len(solo("slt")))
    one, other = solo("rms")[:length].astype(int), solo("slt")[:length].astype(int)
    leak = 10 ** (decibels / 20)
    assert same((one + leak * other).astype(np.int16), (other + leak * one).astype(np.int16)) is False


@pytest.mark.parametrize(("decibels", "same"), [(-20, False), (-9, False), (-3, True), (0, True)])
def test_an_echo_of_somebody_is_no_duplicate_of_their_track(decibels: float, same: bool) -> None:
    comparison = TrackComparison(0, participants=True)
    comparison.compare(heard(MEETING), heard(louder(later(MEETING, 0.08), decibels)))
    assert comparison.same is same


def test_a_span_may_be_read_wherever_it_lies() -> None:
    sound = heard(MEETING[: 5 * RATE_HZ + 7])
    assert sound.whole_seconds == 5
    assert np.array_equal(sound.span(100, 3 * RATE_HZ + 5), MEETING[100 : 3 * RATE_HZ + 5])
    edges = sound.span(-50, 6 * RATE_HZ)
    assert np.array_equal(edges[50 : 50 + 5 * RATE_HZ], MEETING[: 5 * RATE_HZ])
    assert not edges[:50].any()
    assert not edges[50 + 5 * RATE_HZ :].any()
    assert not heard(np.tile(MEETING, 6)).span(0, RATE_HZ).any()


def test_two_who_speak_in_turns_are_two_tracks() -> None:
    speaks = (np.arange(len(MEETING)) // (3 * RATE_HZ)) % 2 == 0
    assert same(np.where(speaks, MEETING, 0).astype(np.int16), np.where(speaks, 0, MEETING).astype(np.int16)) is False


def test_muted_tracks_that_open_for_short_words_are_two_tracks() -> None:
    # Exact zeros in the first 0.7 s of each second of one track; steady noise on the other.
    noise = np.random.default_rng(2).integers(-3000, 3000, len(MEETING)).astype(np.int16)
    opens = np.arange(len(MEETING)) % RATE_HZ >= 0.7 * RATE_HZ
    gated = np.where(opens, np.random.default_rng(3).integers(-9000, 9000, len(MEETING)), 0).astype(np.int16)
    assert same(gated, noise) is False
    assert same(noise, gated) is False


def test_silence_says_nothing() -> None:
    assert same(np.zeros(60 * RATE_HZ, np.int16), np.zeros(60 * RATE_HZ, np.int16)) is None


def test_it_is_told_from_so_many_seconds_with_sound() -> None:
    first, second, comparison = TrackSound(), TrackSound(), TrackComparison(0)
    speech = solo("rms")[: (COMPARED_SECONDS + 1) * RATE_HZ]
    for number in range(COMPARED_SECONDS + 1):
        assert comparison.same is (None if number <= COMPARED_SECONDS - 1 else True)
        for sound in (first, second):
            sound.add(speech[number * RATE_HZ : (number + 1) * RATE_HZ], number * RATE_HZ)
        comparison.compare(first, second)


LONG = np.tile(MEETING, 10)  # 300 s


@pytest.mark.parametrize("lag_s", [1, 45, 90, MAX_KEPT_SECONDS - 15])
@pytest.mark.parametrize("first_is_late", [False, True])
def test_copies_are_found_although_one_comes_late(lag_s: int, first_is_late: bool) -> None:
    ahead, behind, comparison = TrackSound(), TrackSound(), TrackComparison(0)
    pair = (behind, ahead) if first_is_late else (ahead, behind)
    for second in range(len(LONG) // RATE_HZ):
        ahead.add(LONG[second * RATE_HZ : (second + 1) * RATE_HZ], second * RATE_HZ)
        if (late := second - lag_s) >= 0:
            behind.add(LONG[late * RATE_HZ : (late + 1) * RATE_HZ], late * RATE_HZ)
        comparison.compare(*pair)
    assert comparison.same is True


def test_copies_are_found_once_the_late_one_has_caught_up() -> None:
    ahead, behind, comparison = heard(LONG), TrackSound(), TrackComparison(0)
    for start in range(0, len(LONG), 10 * RATE_HZ):
        comparison.compare(ahead, behind)
        behind.add(LONG[start : start + 10 * RATE_HZ], start)
    comparison.compare(ahead, behind)
    assert comparison.same is True


def test_a_correlation_lies_within_its_range() -> None:
    random = np.random.default_rng(4)
    for _ in range(20):
        a, b = (random.integers(-9000, 9000, RATE_HZ).astype(np.int16) for _ in range(2))
        a[: random.integers(0, RATE_HZ)] = 0
        b[random.integers(0, RATE_HZ) :] = 0
        assert -1 <= correlation(a, b) <= 1 + 1e-6
    seconds: OrderedDict[int, Pcm] = heard(MEETING).seconds
    assert all(correlation(second, second) == pytest.approx(1) for second in seconds.values())


def test_channels_are_the_same_sample_by_sample_either_way_up() -> None:
    second = MEETING[5 * RATE_HZ : 6 * RATE_HZ]
    assert sample_similarity(second, second) == 1
    assert sample_similarity(second, -second) == 1
    assert sample_similarity(second, louder(second, -0.5)) > 0.9
    # An echo, what is heard of the other through the air, somebody else, and nothing.
    assert sample_similarity(second, later(second, 0.02)[:RATE_HZ]) < 0.5
    assert sample_similarity(second, louder(second, -20)) < 0.2
    assert sample_similarity(second, MEETING[15 * RATE_HZ : 16 * RATE_HZ]) < 0.5
    assert sample_similarity(second, np.zeros_like(second)) == 0
    assert sample_similarity(np.zeros_like(second), np.zeros_like(second)) <= 1


def test_silence_that_is_skipped_is_between_seconds_of_their_own_numbers() -> None:
    sound = heard(MEETING[: 5 * RATE_HZ // 2])
    begin = 3600 * RATE_HZ + 700
    sound.add(MEETING[:RATE_HZ], begin)
    assert sound.measured == begin + RATE_HZ
    assert list(sound.seconds) == [0, 1, 2, 3600]
    np.testing.assert_array_equal(sound.seconds[2][: RATE_HZ // 2], MEETING[2 * RATE_HZ : 5 * RATE_HZ // 2])
    np.testing.assert_array_equal(sound.seconds[3600][700:], MEETING[: RATE_HZ - 700])
    assert not sound.seconds[3600][:700].any()
    assert not sound.seconds[2][RATE_HZ // 2 :].any()
    assert [sound.after_skipped(second) for second in (2, 3, 3599, 3600)] == [2, 3600, 3600, 3600]
    # All over again, without a pause.
    sound.add(MEETING[: 2 * RATE_HZ], 0)
    assert (list(sound.seconds), sound.skipped) == ([0, 1], [])


def test_tracks_are_compared_beyond_a_pause_that_both_skipped() -> None:
    tracks = [TrackSound(), TrackSound()]
    for sound in tracks:
        sound.add(MEETING[: 2 * RATE_HZ], 0)
        sound.add(MEETING[2 * RATE_HZ :], 3600 * RATE_HZ)
    tracks_alike, channels = TrackComparison(0), ChannelComparison()
    tracks_alike.compare(*tracks)
    channels.compare(*tracks)
    undecided = channels.same
    channels.decide()
    assert (undecided, tracks_alike.same, channels.same) == (None, True, True)
