"""What is noticed original a meeting's tracks: copies original one another, and what clients are warned original."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from server.audio.track_sound import SILENCE_S, TrackSound
from server.live.observations import DuplicateTrackDetector, Warnings
from server.live.track_feed import TrackFeed
from server.live.turns import MeetingTurns
from tests.recordings import RATE_HZ, sample_pcm
from tests.server.live.live_configs import PARTICIPANT, of_channels, of_kinds
from tests.server.live.test_turns import MEETING


def heard(pcm: NDArray[np.int16]) -> TrackSound:
    sound = TrackSound()
    for start in range(0, len(pcm), RATE_HZ):
        sound.add(pcm[start : start + RATE_HZ], start)
    return sound


def feeds(*sounds: NDArray[np.int16]) -> list[TrackFeed]:
    config = of_channels(len(sounds))
    made = [
        SimpleNamespace(
            sound=heard(sound),
            track=config.tracks[place],
            damaged=False,
            several_voices=False,
            copied_s=0.0,
            max_speakers=0,
            language_unknown=place == 1,
            lag_samples=lambda: 0,
            log=SimpleNamespace(committed_bytes=2 * len(sound)),
            words_lag_samples=lambda: 0,
        )
        for place, sound in enumerate(sounds)
    ]
    return cast("list[TrackFeed]", made)


def test_a_channel_that_repeats_another_is_a_copy_and_one_that_hears_it_is_not() -> None:
    meeting = sample_pcm()[: 25 * RATE_HZ]
    # Recorded with one microphone; and what a telephone lets through original the other side.
    heard = feeds(meeting, -meeting, (meeting * 0.2).astype(np.int16))
    copies = DuplicateTrackDetector(of_channels(3), ())
    assert copies.detect(heard, MeetingTurns(of_channels(3), MEETING)) == []
    # What differs is known at once to be no copy.
    assert copies.is_distinct(2)
    # The first is the one that stays.
    assert copies.is_distinct(0)
    assert not copies.is_distinct(1)
    assert [copies.repeats_another_channel(index) for index in range(3)] == [False, True, False]
    assert copies.detect_final(heard, MeetingTurns(of_channels(3), MEETING)) == [(1, 0)]
    assert copies.ignored == {1}
    assert DuplicateTrackDetector(of_channels(3), ("call#2",)).ignored == {1}


def test_sides_that_wait_with_the_same_announcement_and_then_speak_are_two() -> None:
    announcement, answer = sample_pcm()[: 20 * RATE_HZ], sample_pcm()[30 * RATE_HZ : 33 * RATE_HZ]
    heard = feeds(np.concatenate([announcement, answer]), np.concatenate([announcement, np.zeros_like(answer)]))
    copies = DuplicateTrackDetector(of_channels(2), ())
    turns = MeetingTurns(of_channels(2), MEETING)
    assert copies.detect(heard, turns) == copies.detect_final(heard, turns) == []


def test_what_went_by_unheard_is_no_copy() -> None:
    # More than is kept for comparing.
    long = np.tile(sample_pcm()[: 20 * RATE_HZ], 7)
    heard = feeds(long, long)
    assert DuplicateTrackDetector(of_channels(2), ()).detect_final(heard, MeetingTurns(of_channels(2), MEETING)) == []


def test_what_is_final_is_no_copy_any_more_and_the_other_is() -> None:
    meeting = sample_pcm()[: 15 * RATE_HZ]
    tracks = of_kinds(PARTICIPANT, PARTICIPANT, PARTICIPANT)
    turns, heard = MeetingTurns(tracks, MEETING), feeds(meeting, meeting, meeting)
    copies = DuplicateTrackDetector(tracks, ())
    # The second was judged to be somebody of their own, before the first sent the same.
    turns.final_tracks.add(1)
    assert copies.detect(heard, turns) == [(0, 1), (2, 1)]
    turns.final_tracks |= {0, 1, 2}
    assert DuplicateTrackDetector(tracks, ()).detect(heard, turns) == []


def test_silent_channels_are_no_copies() -> None:
    nothing = np.zeros(3 * RATE_HZ, np.int16)
    assert (
        DuplicateTrackDetector(of_channels(2), ()).detect_final(
            feeds(nothing, nothing), MeetingTurns(of_channels(2), MEETING)
        )
        == []
    )


def lagging(turns_s: float, words_s: float) -> list[TrackFeed]:
    """Two tracks, of which the second lags."""
    made = feeds(np.zeros(0, np.int16), np.zeros(0, np.int16))
    cast("SimpleNamespace", made[0]).lag_samples = lambda: round(turns_s * RATE_HZ)
    cast("SimpleNamespace", made[0]).words_lag_samples = lambda: round(words_s * RATE_HZ)
    cast("SimpleNamespace", made[1]).language_unknown = False
    return made


def test_a_lag_of_words_alone_is_warned_of_and_once_until_it_has_passed() -> None:
    warnings, turns = Warnings(), MeetingTurns(of_channels(2), MEETING)
    # Seconds that turns and words lag, and what is said then.
    steps = [
        (0.7, 20.0, ""),
        (0.7, 20.1, "words are delayed"),
        (0.7, 10.1, ""),
        (0.7, 43.0, ""),
        (5.1, 9.0, ""),
        (5.0, 10.0, ""),
        (10.0, 12.0, ""),
        (10.1, 12.0, "turns and words are delayed"),
    ]
    for turns_s, words_s, text in steps:
        told = [event.warning for event in warnings.update(lagging(turns_s, words_s), turns)]
        assert [warning.code for warning in told] == [pb.WARNING_CODE_LAG] * bool(text), (turns_s, words_s)
        assert all(text in warning.text for warning in told)


def test_an_end_is_announced_again_once_somebody_came_back() -> None:
    warnings, turns, heard = Warnings(), MeetingTurns(of_channels(2), MEETING), lagging(0, 0)
    announced = []
    for ending in (False, True, True, False, True):
        announced.append([e.warning.code for e in warnings.update(heard, turns, ending=ending)])
        assert warnings.ending_announced is ending
    ending_code = pb.WARNING_CODE_ENDING
    assert announced == [[], [ending_code], [], [], [ending_code]]


def test_warnings_name_the_channel() -> None:
    silence = np.concatenate([sample_pcm()[: 5 * RATE_HZ], np.zeros(SILENCE_S * RATE_HZ, np.int16)])
    told = Warnings().update(feeds(sample_pcm()[: 20 * RATE_HZ], silence), MeetingTurns(of_channels(2), MEETING))
    assert [(e.warning.code, e.warning.track_id, e.warning.channel) for e in told] == [
        (pb.WARNING_CODE_SILENCE, "call", 2),
        (pb.WARNING_CODE_LANGUAGE_UNKNOWN, "", 0),
    ]
    assert "This channel" in told[0].warning.text


def silent_tracks(warnings: Warnings, *sounds: NDArray[np.int16]) -> list[int]:
    """The channels that are warned of as silent now."""
    told = warnings.update(feeds(*sounds), MeetingTurns(of_channels(len(sounds)), MEETING))
    return [e.warning.channel for e in told if e.warning.code == pb.WARNING_CODE_SILENCE]


def test_who_only_listens_is_not_warned_of() -> None:
    click = np.zeros(SILENCE_S * RATE_HZ + RATE_HZ, np.int16)
    click[100:120] = 20_000
    assert silent_tracks(Warnings(), np.zeros(2 * SILENCE_S * RATE_HZ, np.int16), click) == []


def test_a_track_that_was_alive_and_sends_nothing_any_more_is_warned_of_once() -> None:
    now = 0.0
    warnings, said = Warnings(lambda: now), sample_pcm()[: 20 * RATE_HZ]
    nothing = np.zeros(5 * RATE_HZ, np.int16)
    assert silent_tracks(warnings, said, nothing) == []
    now = SILENCE_S - 1.0
    assert silent_tracks(warnings, said, nothing) == []
    now = SILENCE_S
    assert silent_tracks(warnings, said, nothing) == [1]
    assert silent_tracks(warnings, said, nothing) == []
    # It is back, and falls silent again.
    assert silent_tracks(warnings, sample_pcm()[: 21 * RATE_HZ], nothing) == []
    now += SILENCE_S
    assert silent_tracks(warnings, sample_pcm()[: 21 * RATE_HZ], nothing) == [1]


def test_several_voices_on_a_participants_track_are_warned_of_unless_they_are_those_of_other_tracks() -> None:
    speech = sample_pcm()[: 5 * RATE_HZ]
    heard: list[Any] = list(feeds(speech, speech, speech))
    for feed in heard:
        feed.several_voices, feed.language_unknown = True, False
    heard[1].copied_s = 30.0
    heard[2].track = replace(heard[2].track, ended=True)
    warnings, turns = Warnings(), MeetingTurns(of_channels(3), MEETING)
    (event,) = warnings.update(heard, turns)
    assert (event.warning.code, event.warning.channel) == (pb.WARNING_CODE_SEVERAL_VOICES, 1)
    assert "MIXED" in event.warning.text
    assert warnings.update(heard, turns) == []


def test_an_object_store_that_is_late_is_warned_of_once_until_it_is_not() -> None:
    warnings, turns = Warnings(), MeetingTurns(of_channels(1), MEETING)
    (event,) = warnings.update([], turns, behind="It is late.")
    assert (event.warning.code, event.warning.text) == (pb.WARNING_CODE_STORE_BEHIND, "It is late.")
    assert warnings.update([], turns, behind="It is late.") == []
    assert warnings.update([], turns) == []
    assert len(warnings.update([], turns, behind="It is late.")) == 1
