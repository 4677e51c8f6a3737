"""Whom the watermark waits for: nobody who is silent, gone, late or a copy so far, and nobody for ever."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from server.audio.track_sound import TrackSound
from server.live.config import LiveConfig
from server.live.finality import Finality
from server.live.observations import DuplicateTrackDetector
from server.live.published_state import PublishedState
from server.live.track_feed import TrackFeed
from tests.recordings import RATE_HZ, sample_pcm
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_channels, of_kinds
from tests.server.live.test_turns import MEETING, STABLE, S, turn

QUIET = np.zeros(0, np.int16)
SPEECH = sample_pcm()[: 20 * RATE_HZ]


class Meeting:
    """A meeting as far as its finality goes."""

    def __init__(self, config: LiveConfig, *sounds: NDArray[np.int16]) -> None:
        self.published = PublishedState(config, MEETING)
        self.turns = self.published.turns
        self.duplicates = DuplicateTrackDetector(config, ())
        self.feeds = [
            SimpleNamespace(track=track, has_audio=True, is_closed=False, through_us=0) for track in config.tracks
        ]
        for feed in self.feeds:
            feed.sound, feed.is_cut_at_its_end = TrackSound(), False
        for feed, sound in zip(self.feeds, sounds, strict=False):
            feed.sound.add(sound, 0)
        for feed in self.feeds:
            feed.audio_through_us = lambda feed=feed: feed.through_us
        feeds = cast("list[TrackFeed]", self.feeds)
        self.finality = Finality(config, feeds, self.published, self.duplicates)
        self.duplicates.detect(feeds, self.turns)
        self.config = config

    def mark(self) -> tuple[int, int]:
        """What is published as final after settling, seconds, speakers and words."""
        self.finality.settle_speakers()
        self.published.changes(self.finality.ignored, self.finality.uncovered())
        mark = self.published._watermark.published
        return mark.final_through_ms // 1000, mark.words_final_through_ms // 1000

    def late(self) -> list[str]:
        """The tracks that are warned of as late now."""
        events = self.finality.late_audio()
        assert {event.warning.code for event in events} <= {pb.WARNING_CODE_LATE_AUDIO}
        return [event.warning.track_id for event in events]

    def heard(self, index: int, final_s: int, *, through_s: int = 0) -> None:
        """A track with audio, and final words up to here."""
        self.feeds[index].through_us = (through_s or final_s) * S
        self.turns.mark_words_final(index, final_s * S)


def test_listeners_hold_back_nobody() -> None:
    silence = np.zeros_like(SPEECH)
    meeting = Meeting(of_kinds(PARTICIPANT, PARTICIPANT, PARTICIPANT), SPEECH, silence, silence)
    meeting.turns.update(turn(3, state=STABLE, track=0))
    for index in range(3):
        meeting.heard(index, 20)
    # The two silent ones are never known to be two.
    assert not meeting.duplicates.is_distinct(2)
    assert meeting.mark() == (20, 20)


def test_a_track_that_never_sends_holds_back_nobody_whatever_its_kind() -> None:
    meeting = Meeting(of_kinds(PARTICIPANT, PARTICIPANT, MIXED), SPEECH)
    meeting.feeds[1].has_audio = meeting.feeds[2].has_audio = False
    meeting.heard(0, 20)
    assert meeting.mark() == (20, 20)


def test_who_left_holds_back_nobody_once_what_they_said_is_final() -> None:
    meeting = Meeting(of_kinds(PARTICIPANT, PARTICIPANT), SPEECH, SPEECH[: 4 * RATE_HZ])
    meeting.heard(0, 20)
    meeting.turns.update(turn(3, state=STABLE, track=1))
    meeting.heard(1, 3)
    assert meeting.mark() == (3, 3)
    meeting.heard(1, 4)
    meeting.feeds[1].is_closed = meeting.feeds[1].is_cut_at_its_end = True
    assert (meeting.mark(), meeting.late()) == ((20, 20), [])
    # What they said is final, although it was too little to compare.
    assert 1 in meeting.turns.final_tracks


def test_a_room_that_ended_is_final_with_its_speakers_before_the_meeting_is() -> None:
    meeting = Meeting(of_kinds(PARTICIPANT, MIXED), SPEECH, SPEECH[: 4 * RATE_HZ])
    meeting.heard(0, 20)
    meeting.turns.update(turn(3, 2, state=STABLE, track=1))
    meeting.heard(1, 4)
    assert meeting.mark() == (0, 4)
    # A pause alone says nothing of who its voices are.
    meeting.feeds[1].is_closed = meeting.feeds[1].is_cut_at_its_end = True
    meeting.mark()
    assert 1 not in meeting.turns.final_tracks
    meeting.feeds[1].track = replace(meeting.feeds[1].track, ended=True)
    assert meeting.mark() == (20, 20)
    assert 1 in meeting.turns.final_tracks


def test_late_audio_is_told_once_and_holds_back_nobody_until_it_has_caught_up() -> None:
    meeting = Meeting(of_kinds(PARTICIPANT, PARTICIPANT), SPEECH)
    meeting.feeds[1].has_audio = False
    meeting.heard(0, 60)
    assert (meeting.late(), meeting.mark()) == ([], (60, 60))
    meeting.feeds[1].has_audio = True
    meeting.heard(1, 1, through_s=2)
    assert meeting.late() == ["t1"]
    meeting.heard(0, 70)
    assert (meeting.late(), meeting.mark()) == ([], (70, 70))
    # Its audio jumps to where the meeting is: from there on the watermark holds for it.
    meeting.heard(1, 2, through_s=81)
    assert meeting.late() == []
    meeting.heard(0, 90)
    assert meeting.mark() == (70, 70)
    meeting.heard(1, 80, through_s=95)
    assert (meeting.late(), meeting.mark()) == ([], (80, 80))


def test_a_track_that_may_be_a_copy_is_waited_for_half_a_minute_at_most() -> None:
    # The first has sent nothing to compare with.
    meeting = Meeting(of_kinds(PARTICIPANT, PARTICIPANT), QUIET, SPEECH)
    meeting.feeds[0].has_audio = False
    meeting.turns.update(turn(3, state=STABLE, track=1))
    meeting.heard(1, 32)
    assert meeting.mark() == (3, 32)
    meeting.heard(1, 33)
    assert meeting.mark() == (33, 33)
    assert 1 in meeting.turns.final_tracks


def test_channels_that_carry_the_same_are_not_final_twice_and_do_not_hold_the_meeting_back() -> None:
    meeting = Meeting(of_channels(2), SPEECH, SPEECH)
    for index in (0, 1):
        meeting.turns.update(turn(4 + index, state=STABLE, track=index))
        meeting.heard(index, 20)
    assert meeting.mark() == (5, 20)
    for index in (0, 1):
        meeting.heard(index, 40)
    assert meeting.mark() == (40, 40)
    assert meeting.turns.final_tracks == {0}


def test_who_ended_without_a_sound_holds_back_nobody_and_is_not_late() -> None:
    meeting = Meeting(of_kinds(PARTICIPANT, PARTICIPANT), SPEECH)
    meeting.heard(0, 20)
    assert meeting.mark() == (0, 0)
    # Closed without a cut: there was nothing to cut.
    meeting.feeds[1].is_closed = True
    assert meeting.mark() == (20, 20)
    assert meeting.late() == []


def test_who_comes_back_on_a_new_track_is_nobodys_copy() -> None:
    config = of_kinds(PARTICIPANT, PARTICIPANT)
    before, after = config.tracks
    tracks = (replace(before, ended=True), replace(after, start_us=4 * S))
    meeting = Meeting(replace(config, tracks=tracks), SPEECH[: 4 * RATE_HZ], SPEECH[: 4 * RATE_HZ])
    meeting.turns.update(turn(5, state=STABLE, track=1))
    # A part of a millisecond more than where the new one begins.
    meeting.feeds[0].through_us = 4 * S + 999
    meeting.turns.mark_words_final(0, 4 * S)
    meeting.heard(1, 8)

    def detect() -> tuple[bool, tuple[int, int]]:
        meeting.duplicates.detect(cast("list[TrackFeed]", meeting.feeds), meeting.turns)
        return meeting.duplicates.is_distinct(1), meeting.mark()

    # Until all of the first is heard it may be longer than is known.
    assert detect() == (False, (4, 4))
    meeting.feeds[0].is_closed = True
    assert detect() == (True, (8, 8))


def test_a_track_that_begins_before_another_ended_may_repeat_it() -> None:
    config = of_kinds(PARTICIPANT, PARTICIPANT)
    before, after = config.tracks
    tracks = (replace(before, ended=True), replace(after, start_us=3 * S))
    meeting = Meeting(replace(config, tracks=tracks), SPEECH[: 4 * RATE_HZ], SPEECH[: 4 * RATE_HZ])
    meeting.feeds[0].is_closed, meeting.feeds[0].through_us = True, 4 * S
    meeting.duplicates.detect(cast("list[TrackFeed]", meeting.feeds), meeting.turns)
    assert not meeting.duplicates.is_distinct(1)


def test_audio_before_final_words_is_late_also_where_only_words_are_final() -> None:
    meeting = Meeting(of_kinds(PARTICIPANT, MIXED), SPEECH, SPEECH)
    meeting.feeds[0].has_audio = False
    meeting.heard(1, 60)
    assert (meeting.mark(), meeting.late()) == ((0, 60), [])
    meeting.feeds[0].has_audio = True
    meeting.heard(0, 1, through_s=2)
    assert meeting.late() == ["t0"]
    assert meeting.mark() == (0, 60)
